/** NATS, without encryption: a client, the broker nats-server, and a process that answers. */
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { addressOf, type Abilities, type Peer } from './contract.ts';
import { startProgram } from './program.ts';
import { computeFor } from './tiny-task.ts';

const ECHO = 'echo';
const COMPUTE = 'compute';
const CHANNEL_OUT = 'channel.out';
const CHANNEL_BACK = 'channel.back';
const REQUEST_TIMEOUT_MS = 10_000;

export const peer: Peer = {
  packages: ['@nats-io/transport-node'],
  programs: ['nats-server'],
  processes: [
    {
      name: 'broker',
      start: async () =>
        startProgram('nats-server', (port) => ['-a', '127.0.0.1', '-p', String(port)]),
    },
    {
      name: 'responder',
      async start(context) {
        const connection = await connect({ servers: addressOf(context, 'broker') });
        connection.subscribe(ECHO, {
          callback: (_error, message) => {
            message.respond(message.data);
          },
        });
        connection.subscribe(COMPUTE, {
          callback: (_error, message) => {
            computeFor(Number(message.string()));
            message.respond();
          },
        });
        connection.subscribe(CHANNEL_OUT, {
          callback: (_error, { data }) => {
            connection.publish(CHANNEL_BACK, data);
          },
        });
        await connection.flush();
        return { stop: async () => connection.close() };
      },
    },
    {
      name: 'client',
      async start(context) {
        const connection = await connect({ servers: addressOf(context, 'broker') });
        return { abilities: abilitiesOf(connection), stop: async () => connection.close() };
      },
    },
  ],
};

function abilitiesOf(connection: NatsConnection): Partial<Abilities> {
  const request = async (message: Uint8Array): Promise<void> => {
    await connection.request(ECHO, message, { timeout: REQUEST_TIMEOUT_MS });
  };
  const empty = new Uint8Array(0);
  return {
    request,
    // What a task queue without any guarantee would be.
    runTask: async () => request(empty),
    runTinyTask: async (computeMs) => {
      await connection.request(COMPUTE, String(computeMs), { timeout: REQUEST_TIMEOUT_MS });
    },
    openChannel: async () => {
      const channel = {
        send: (message: Uint8Array) => {
          connection.publish(CHANNEL_OUT, message);
        },
        onAnswers: (_count: number): void => undefined,
        close: () => {
          answers.unsubscribe();
        },
      };
      const answers = connection.subscribe(CHANNEL_BACK, {
        callback: () => {
          channel.onAnswers(1);
        },
      });
      await connection.flush();
      return channel;
    },
  };
}
