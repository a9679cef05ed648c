/** HTTP/2 over TLS 1.3 of node:http2: a POST per stream. */
import {
  connect,
  createSecureServer,
  type ClientHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { duplexByteStream, serveByteStream, streamAbilities } from './byte-stream.ts';
import { FIRST_MESSAGE, timeConnect, type FreshConnection } from './connect-times.ts';
import { openTls, sessionOf } from './tls.ts';
import { addressOf, type Peer, type ProcessContext } from './contract.ts';

/** The windows that quic-swarm's transport has, so that flow control is nobody's excuse. */
const STREAM_WINDOW_BYTES = 16 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 64 * 1024 * 1024;
const STREAMS_MAX = 20_000;

export const peer: Peer = {
  packages: [],
  processes: [
    {
      name: 'server',
      async start({ identity }) {
        const server = createSecureServer({
          key: identity.privateKey,
          cert: identity.certificate,
          settings: { initialWindowSize: STREAM_WINDOW_BYTES, maxConcurrentStreams: STREAMS_MAX },
        });
        server.on('session', (session) => {
          session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
          session.on('error', () => undefined);
        });
        server.on('stream', (stream: ServerHttp2Stream) => {
          stream.respond({ ':status': 200 });
          serveByteStream(duplexByteStream(stream));
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
        const session = await openSession(context);
        let tlsSession: Buffer | undefined;
        const fresh = async (resume: boolean): Promise<FreshConnection> => {
          const socket = await openTls(context, ['h2'], resume ? tlsSession : undefined);
          const connection = await openSession(context, socket);
          return {
            ask: async () => abilitiesOf(connection).request(FIRST_MESSAGE),
            isResumed: () => socket.isSessionReused(),
            close: async () => {
              tlsSession ??= await sessionOf(socket);
              connection.destroy();
            },
          };
        };
        return {
          abilities: {
            ...abilitiesOf(session),
            connectCold: async () => timeConnect(async () => fresh(false)),
            connectResumed: async () => {
              if (tlsSession === undefined) await timeConnect(async () => fresh(false));
              return timeConnect(async () => fresh(true));
            },
          },
          stop: () => {
            session.destroy();
          },
        };
      },
    },
  ],
};

function abilitiesOf(session: ClientHttp2Session): ReturnType<typeof streamAbilities> {
  return streamAbilities(async () =>
    duplexByteStream(session.request({ ':method': 'POST', ':path': '/' })),
  );
}

/** Without a socket it connects itself. */
async function openSession(
  context: ProcessContext,
  socket?: TLSSocket,
): Promise<ClientHttp2Session> {
  const session = connect(`https://${addressOf(context, 'server')}`, {
    ca: context.identity.authority,
    settings: { initialWindowSize: STREAM_WINDOW_BYTES },
    ...(socket === undefined ? {} : { createConnection: () => socket }),
  });
  await new Promise<void>((resolve, reject) => {
    // A request may leave before the server's settings have come; only its limit of streams is not known yet.
    session.once(socket === undefined ? 'remoteSettings' : 'connect', () => {
      resolve();
    });
    session.once('error', reject);
  });
  session.on('error', () => undefined);
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  return session;
}
