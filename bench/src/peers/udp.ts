/**
 * Plain datagrams of node:dgram, unprotected: the floor of everything over UDP. Short ones are echoed. Long ones are
 * counted, and the count is told now and then, which is all the flow control there is: nothing is put in order, repeated,
 * encrypted or acknowledged by name. The variant's `payloadBytes` says how long they are.
 */
import { createSocket, type Socket } from 'node:dgram';
import { addressOf, hostAndPort, type Peer } from './contract.ts';

/** Longer than any message that is echoed. */
const COUNTED_BYTES_MIN = 1000;
const COUNTED_PER_ANSWER = 16;
/** About as much as the sockets' buffers take. */
const UNCOUNTED_MAX = 256;
const COUNT_BYTES = 4;
/** Sent per turn of the event loop, so that counts are heard in between. */
const DATAGRAMS_PER_TURN = 64;
/** Without a count for so long the rest was lost, and as much is sent once more. */
const LOST_AFTER_MS = 20;

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
        let counted = 0;
        socket.on('message', (datagram, { address, port }) => {
          if (datagram.length < COUNTED_BYTES_MIN) {
            socket.send(datagram, port, address);
            return;
          }
          counted += 1;
          if (counted % COUNTED_PER_ANSWER !== 0) return;
          const answer = Buffer.alloc(COUNT_BYTES);
          answer.writeUInt32LE(counted);
          socket.send(answer, port, address);
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
        let answered = (_datagram: Buffer): void => undefined;
        socket.on('message', (datagram) => {
          answered(datagram);
        });
        const { payloadBytes = 1350 } = context.variant;
        let countedBefore = 0;
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
            sendOneWay: async (totalBytes) => {
              const datagram = Buffer.alloc(Number(payloadBytes));
              const count = Math.ceil(totalBytes / datagram.length / COUNTED_PER_ANSWER);
              countedBefore = await sendCounted(socket, datagram, {
                from: countedBefore,
                to: countedBefore + count * COUNTED_PER_ANSWER,
                onCount: (hear) => {
                  answered = hear;
                },
              });
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

/** Sends datagrams until the server has counted `to`; resolves with its count. */
async function sendCounted(
  socket: Socket,
  datagram: Buffer,
  {
    from,
    to,
    onCount,
  }: { from: number; to: number; onCount: (hear: (answer: Buffer) => void) => void },
): Promise<number> {
  return new Promise((resolve) => {
    let sent = from;
    let counted = from;
    let isPlanned = false;
    const send = (): void => {
      isPlanned = false;
      // What is lost is made up for by more of the same, one answer's worth at a time.
      const until = Math.min(sent + DATAGRAMS_PER_TURN, counted + UNCOUNTED_MAX);
      for (; sent < until && sent < to; sent += 1) socket.send(datagram);
      if (sent < Math.min(to, counted + UNCOUNTED_MAX)) plan();
    };
    const plan = (): void => {
      if (isPlanned) return;
      isPlanned = true;
      setImmediate(send);
    };
    let countedLast = from;
    const watch = setInterval(() => {
      if (counted === countedLast) {
        sent = counted;
        plan();
      }
      countedLast = counted;
    }, LOST_AFTER_MS);
    onCount((answer) => {
      counted = Math.max(counted, answer.readUInt32LE(0));
      if (counted < to) {
        plan();
        return;
      }
      clearInterval(watch);
      resolve(counted);
    });
    plan();
  });
}
