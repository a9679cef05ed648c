/** What the tests of QUIC share: certificates, transports, and sockets that can be listened to or cut off. */
import {
  createAuthority,
  createQuicTransport,
  createSelfSignedCertificate,
  issueCertificate,
  openDatagramSocket,
  type DatagramSocketFactory,
  type QuicTransportOptions,
  type Transport,
} from '@quic-swarm/transport';
import { meet, type Meeting } from '@quic-swarm/testkit';
import { onTestFinished } from 'vitest';

export const identity = createSelfSignedCertificate({
  commonName: 'coordinator',
  hosts: ['localhost', '127.0.0.1'],
});
export const trust = { fingerprints: [identity.fingerprint] };
export const authority = createAuthority({ commonName: 'swarm authority' });
export const otherAuthority = createAuthority({ commonName: 'another authority' });
export const serverIdentity = issueCertificate(authority, {
  commonName: 'coordinator',
  hosts: ['localhost', '127.0.0.1'],
  usage: 'server',
});
export const agentIdentity = issueCertificate(authority, {
  commonName: 'agent-1',
  uris: ['swarm://agent/agent-1'],
  usage: 'client',
});

type Options = Omit<QuicTransportOptions, 'client' | 'server'>;

export function serving(options: Options & Pick<QuicTransportOptions, 'server'> = {}): Transport {
  return createQuicTransport({ server: identity, ...options });
}

export function connecting(
  options: Options & Pick<QuicTransportOptions, 'client'> = {},
): Transport {
  return createQuicTransport({ client: { trust }, ...options });
}

/** A meeting that ends with the test. */
export async function meetForTest(
  server: Transport,
  client: Transport,
  ...rest: Parameters<typeof meet> extends [unknown, ...infer Rest] ? Rest : never
): Promise<Meeting> {
  const meeting = await meet({ server, client }, ...rest);
  onTestFinished(async () => {
    await meeting.client.close(undefined, 0);
    await meeting.listener.close();
  });
  return meeting;
}

/** A factory of sockets that can be cut off and listened to. */
export interface Tap {
  readonly createSocket: DatagramSocketFactory;
  /** While true, nothing goes out and nothing comes in. */
  isCut: boolean;
  /** While true, nothing goes out. */
  isMute: boolean;
  /** Longer datagrams get lost on their way out. */
  bytesMax: number;
  /** Told of each datagram that goes out. */
  onSend: (datagram: Uint8Array, host: string, port: number) => void;
  /** Told of each datagram that comes in. */
  onReceive: (datagram: Uint8Array) => void;
  /** As if the datagram had come in from an address. */
  inject: (datagram: Uint8Array, host: string, port: number) => void;
}

export function tap(): Tap {
  const self: Tap = {
    isCut: false,
    isMute: false,
    bytesMax: Infinity,
    onSend: () => undefined,
    onReceive: () => undefined,
    inject: () => undefined,
    createSocket: async (options) => {
      self.inject = options.onDatagram;
      const socket = await openDatagramSocket({
        ...options,
        onDatagram: (datagram, host, port) => {
          if (self.isCut) return;
          self.onReceive(datagram);
          options.onDatagram(datagram, host, port);
        },
      });
      return {
        localAddress: socket.localAddress,
        unref: () => {
          socket.unref();
        },
        close: async () => socket.close(),
        send: (datagram, host, port) => {
          if (self.isCut || self.isMute) return true;
          self.onSend(datagram, host, port);
          return datagram.length > self.bytesMax || socket.send(datagram, host, port);
        },
      };
    },
  };
  return self;
}
