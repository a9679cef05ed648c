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
import { FaultProxy } from '@quic-swarm/testkit';
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
          acceptEarlyData: true,
          onConnection: (connection) => {
            connection.onStream = (stream) => {
              serveByteStream(quicByteStream(stream));
            };
          },
        });
        const proxy = await farther(context, listener.address);
        return {
          address: formatAddress(proxy?.address ?? listener.address),
          stop: async () => {
            await proxy?.close();
            await listener.close();
          },
        };
      },
    },
    {
      name: 'client',
      async start(context) {
        const transport = clientTransport(context);
        const address = parseAddress(addressOf(context, 'server'));
        const connection = await transport.connect(address);
        return {
          abilities: {
            ...streamAbilities(async () => quicByteStream(await connection.openStream())),
            // A transport of its own has no ticket yet.
            connectCold: async () =>
              timeConnect(async () => freshConnection(clientTransport(context), address)),
            connectResumed: async () =>
              timeConnect(async () => earlyConnection(transport, address)),
          },
          stop: async () => connection.close(),
        };
      },
    },
  ],
};

function clientTransport(context: ProcessContext): Transport {
  return createQuicTransport({
    ...optionsOf(context),
    client: { trust: { authority: context.identity.authority } },
  });
}

/** A proxy that makes every round trip `farMs` longer, where the variant asks for it. */
async function farther(
  { variant }: ProcessContext,
  server: Address,
): Promise<FaultProxy | undefined> {
  const { farMs } = variant;
  if (typeof farMs !== 'number') return undefined;
  return FaultProxy.open({ server, faults: { delayMs: farMs / 2 } });
}

/** The first question travels as early data (0-RTT). */
async function earlyConnection(transport: Transport, address: Address): Promise<FreshConnection> {
  const connection = await transport.connect(address, { earlyData: true });
  const open = async (): Promise<ByteStream> =>
    quicByteStream(await connection.openStream({ earlyData: true }));
  return {
    ask: async () => streamAbilities(open).request(FIRST_MESSAGE),
    isResumed: () => connection.statistics().isResumed,
    close: async () => connection.close(),
  };
}

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
