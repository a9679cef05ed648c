/**
 * Our own transport, without frames and messages: `maxUdpPayloadBytes` is `auto` (9000 over loopback) or a number.
 */
import {
  createQuicTransport,
  formatAddress,
  parseAddress,
  type Address,
  type QuicTransportOptions,
  type Stream,
  type Transport,
} from '@quic-swarm/transport';
import { serveByteStream, streamAbilities, type ByteStream } from './byte-stream.ts';
import { FIRST_MESSAGE, timeConnect, type FreshConnection } from './connect-times.ts';
import { addressOf, type Peer, type ProcessContext } from './contract.ts';

export const peer: Peer = {
  packages: [],
  processes: [
    {
      name: 'server',
      async start(context) {
        const transport = createQuicTransport({
          ...optionsOf(context),
          server: context.identity,
        });
        const listener = await transport.listen({
          address: { host: '127.0.0.1', port: 0 },
          onConnection: (connection) => {
            connection.onStream = (stream) => {
              serveByteStream(quicByteStream(stream));
            };
          },
        });
        return {
          address: formatAddress(listener.address),
          stop: async () => listener.close(),
        };
      },
    },
    {
      name: 'client',
      async start(context) {
        const transport = createQuicTransport({
          ...optionsOf(context),
          client: { trust: { authority: context.identity.authority } },
        });
        const address = parseAddress(addressOf(context, 'server'));
        const connection = await transport.connect(address);
        return {
          abilities: {
            ...streamAbilities(async () => quicByteStream(await connection.openStream())),
            connectCold: async () => timeConnect(async () => freshConnection(transport, address)),
          },
          stop: async () => connection.close(),
        };
      },
    },
  ],
};

async function freshConnection(transport: Transport, address: Address): Promise<FreshConnection> {
  const connection = await transport.connect(address);
  const { request } = streamAbilities(async () => quicByteStream(await connection.openStream()));
  return {
    ask: async () => request(FIRST_MESSAGE),
    close: async () => connection.close(),
  };
}

function optionsOf({ variant }: ProcessContext): Omit<QuicTransportOptions, 'client' | 'server'> {
  const { maxUdpPayloadBytes } = variant;
  return {
    maxUdpPayloadBytes: typeof maxUdpPayloadBytes === 'number' ? maxUdpPayloadBytes : 'auto',
  };
}

/** A stream of the transport's contract. */
export function quicByteStream(stream: Stream): ByteStream {
  const bytes: ByteStream = {
    write: (chunk) => stream.write(chunk),
    // What arrives lies in the transport's own buffer.
    writeBack: (chunk) => {
      stream.write(Uint8Array.from(chunk));
    },
    drained: async () => stream.drained(),
    end: (chunk) => {
      if (chunk !== undefined) stream.write(chunk);
      stream.end();
    },
    destroy: () => {
      stream.reset({ wireCode: 0, message: 'done' });
    },
    onBytes: () => undefined,
    onEnd: () => undefined,
  };
  stream.onData = (chunk) => {
    bytes.onBytes(chunk);
  };
  stream.onEnd = () => {
    bytes.onEnd();
  };
  return bytes;
}
