/** WebSockets over TLS of `ws`, without compression: one connection, binary messages. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer, type RawData } from 'ws';
import { FIRST_MESSAGE, timeConnect, type FreshConnection } from './connect-times.ts';
import { addressOf, type Abilities, type Peer, type ProcessContext } from './contract.ts';

/** A text message asks that so many bytes be swallowed before the next answer. */
const CHUNK_BYTES = 64 * 1024;
/** `ws` queues without a bound; whoever sends much must look at the queue. */
const QUEUED_BYTES_MAX = 4 * 1024 * 1024;

export const peer: Peer = {
  packages: ['ws'],
  processes: [
    {
      name: 'server',
      async start({ identity }) {
        const server = createServer({ key: identity.privateKey, cert: identity.certificate });
        const sockets = new WebSocketServer({ server, perMessageDeflate: false });
        sockets.on('connection', serve);
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
        const socket = await openSocket(context);
        return {
          abilities: {
            ...abilitiesOf(socket),
            connectCold: async () => timeConnect(async () => freshConnection(context)),
          },
          stop: () => {
            socket.terminate();
          },
        };
      },
    },
  ],
};

async function openSocket(context: ProcessContext): Promise<WebSocket> {
  const socket = new WebSocket(`wss://${addressOf(context, 'server')}`, {
    ca: context.identity.authority,
    perMessageDeflate: false,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return socket;
}

async function freshConnection(context: ProcessContext): Promise<FreshConnection> {
  const socket = await openSocket(context);
  return {
    ask: async () =>
      new Promise((resolve) => {
        socket.once('message', () => {
          resolve();
        });
        socket.send(FIRST_MESSAGE);
      }),
    close: () => {
      socket.terminate();
    },
  };
}

function serve(socket: WebSocket): void {
  let bytesToSwallow = 0;
  socket.on('error', () => undefined);
  socket.on('message', (message: RawData, isBinary) => {
    if (!isBinary) {
      bytesToSwallow = Number((message as Buffer).toString());
    } else if (bytesToSwallow > 0) {
      bytesToSwallow -= (message as Buffer).length;
      if (bytesToSwallow <= 0) socket.send(Buffer.of(1));
    } else {
      socket.send(message);
    }
  });
}

function abilitiesOf(socket: WebSocket): Partial<Abilities> {
  let answered = (): void => undefined;
  socket.on('message', () => {
    answered();
  });
  return {
    openChannel: async () => {
      const channel = {
        send: (message: Uint8Array) => {
          socket.send(message);
        },
        onAnswers: (_count: number): void => undefined,
        close: () => undefined,
      };
      answered = () => {
        channel.onAnswers(1);
      };
      return channel;
    },
    sendOneWay: async (totalBytes) => {
      const confirmed = new Promise<void>((resolve) => {
        answered = resolve;
      });
      const chunk = new Uint8Array(CHUNK_BYTES);
      socket.send(String(totalBytes));
      for (let bytesLeft = totalBytes; bytesLeft > 0; bytesLeft -= CHUNK_BYTES) {
        if (socket.bufferedAmount < QUEUED_BYTES_MAX) socket.send(chunk);
        else await new Promise<void>((sent) => socket.send(chunk, () => sent()));
      }
      await confirmed;
    },
  };
}
