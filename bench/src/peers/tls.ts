/** TLS 1.3 over TCP of node:tls, without anything above it. */
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { duplexByteStream, serveByteStream, streamAbilities } from './byte-stream.ts';
import { FIRST_MESSAGE, timeConnect, type FreshConnection } from './connect-times.ts';
import { addressOf, hostAndPort, type Peer, type ProcessContext } from './contract.ts';

export const peer: Peer = {
  packages: [],
  processes: [
    {
      name: 'server',
      async start({ identity }) {
        const options = {
          key: identity.privateKey,
          cert: identity.certificate,
          noDelay: true,
          minVersion: 'TLSv1.3',
        } as const;
        const server = createServer(options, (socket) => {
          serveByteStream(duplexByteStream(socket));
        });
        await new Promise<void>((resolve) => {
          server.listen(0, '127.0.0.1', resolve);
        });
        const { port } = server.address() as AddressInfo;
        return {
          address: `127.0.0.1:${port}`,
          stop: () => {
            server.close();
          },
        };
      },
    },
    {
      name: 'client',
      async start(context) {
        let session: Buffer | undefined;
        const fresh = async (resume: boolean): Promise<FreshConnection> => {
          const socket = await openTls(context, [], resume ? session : undefined);
          return {
            ask: async () => askOnce(socket),
            isResumed: () => socket.isSessionReused(),
            close: async () => {
              session ??= await sessionOf(socket);
              socket.destroy();
            },
          };
        };
        return {
          abilities: {
            connectCold: async () => timeConnect(async () => fresh(false)),
            connectResumed: async () => {
              if (session === undefined) await timeConnect(async () => fresh(false));
              return timeConnect(async () => fresh(true));
            },
          },
          stop: () => undefined,
        };
      },
    },
  ],
};

/** Sessions that sockets were given, by socket: TLS 1.3 sends them after the handshake. */
const sessions = new WeakMap<TLSSocket, Promise<Buffer>>();

/** Connects to the process `server`. */
export async function openTls(
  context: ProcessContext,
  protocols: string[],
  session: Buffer | undefined,
): Promise<TLSSocket> {
  const socket = connect({
    ...hostAndPort(addressOf(context, 'server')),
    ca: context.identity.authority,
    servername: 'localhost',
    ALPNProtocols: protocols,
    ...(session === undefined ? {} : { session }),
  });
  socket.setNoDelay(true);
  const given = new Promise<Buffer>((resolve) => {
    socket.once('session', resolve);
  });
  sessions.set(socket, given);
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

/** The session with which a later connection can take up this one's. */
export async function sessionOf(socket: TLSSocket): Promise<Buffer | undefined> {
  return sessions.get(socket);
}

async function askOnce(socket: TLSSocket): Promise<void> {
  const channel = await streamAbilities(async () => duplexByteStream(socket)).openChannel(
    FIRST_MESSAGE.length,
  );
  await new Promise<void>((resolve) => {
    channel.onAnswers = () => {
      resolve();
    };
    channel.send(FIRST_MESSAGE);
  });
}
