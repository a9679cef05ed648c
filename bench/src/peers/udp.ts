/** Plain datagrams of node:dgram, unprotected: the floor of everything over UDP. */
import { createSocket, type Socket } from 'node:dgram';
import { addressOf, hostAndPort, type Peer } from './contract.ts';

async function bound(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve);
  });
  return socket;
}

export const peer: Peer = {
  packages: [],
  processes: [
    {
      name: 'server',
      async start() {
        const socket = await bound();
        socket.on('message', (datagram, { address, port }) => {
          socket.send(datagram, port, address);
        });
        return {
          address: `127.0.0.1:${socket.address().port}`,
          stop: () => {
            socket.close();
          },
        };
      },
    },
    {
      name: 'client',
      async start(context) {
        const { host, port } = hostAndPort(addressOf(context, 'server'));
        const socket = await bound();
        await new Promise<void>((resolve) => {
          socket.connect(port, host, resolve);
        });
        let answered = (): void => undefined;
        socket.on('message', () => {
          answered();
        });
        return {
          abilities: {
            // A datagram per message; nothing repeats a lost one, so only one at a time is asked of it.
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
          },
          stop: () => {
            socket.close();
          },
        };
      },
    },
  ],
};
