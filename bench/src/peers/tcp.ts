/** Plain TCP of node:net, without encryption: a floor. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { duplexByteStream, serveByteStream, streamAbilities } from './byte-stream.ts';
import { FIRST_MESSAGE, timeConnect } from './connect-times.ts';
import { addressOf, hostAndPort, type Peer } from './contract.ts';

export const peer: Peer = {
  packages: [],
  processes: [
    {
      name: 'server',
      async start() {
        const server = createServer({ noDelay: true }, (socket) => {
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
        const address = hostAndPort(addressOf(context, 'server'));
        const sockets: Socket[] = [];
        const open = async (): Promise<Socket> => {
          const socket = connect({ ...address, noDelay: true });
          sockets.push(socket);
          await new Promise<void>((resolve, reject) => {
            socket.once('connect', resolve);
            socket.once('error', reject);
          });
          return socket;
        };
        // A stream is a connection here, so only what uses one stream for long says something.
        const { openChannel, sendOneWay } = streamAbilities(async () =>
          duplexByteStream(await open()),
        );
        return {
          abilities: {
            openChannel,
            sendOneWay,
            connectCold: async () =>
              timeConnect(async () => {
                const socket = await open();
                const { request } = streamAbilities(async () => duplexByteStream(socket));
                return {
                  ask: async () => request(FIRST_MESSAGE),
                  close: () => {
                    socket.destroy();
                  },
                };
              }),
          },
          stop: () => {
            for (const socket of sockets) socket.destroy();
          },
        };
      },
    },
  ],
};
