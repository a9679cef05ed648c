/**
 * JetStream, the queue of NATS that keeps messages until they are acknowledged, without encryption, in memory or (by the variant) in files:
 * a client, the broker nats-server, and a worker that pulls.
 */
import {
  AckPolicy,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { addressOf, type Peer } from './contract.ts';
import { startProgram } from './program.ts';

const STREAM = 'tasks';
const SUBJECT = 'tasks.todo';
const DONE = 'done';
const WORKER = 'worker';
/** As many tasks as the agent of quic-swarm may have at once in this bench. */
const UNDER_WAY_MAX = 512;

export const peer: Peer = {
  packages: ['@nats-io/transport-node', '@nats-io/jetstream'],
  programs: ['nats-server'],
  processes: [
    {
      name: 'broker',
      start: async () =>
        startProgram('nats-server', (port, directory) => [
          '-a',
          '127.0.0.1',
          '-p',
          String(port),
          '-js',
          '-sd',
          directory,
        ]),
    },
    {
      name: 'worker',
      async start(context) {
        const connection = await connect({ servers: addressOf(context, 'broker') });
        const manager = await jetstreamManager(connection);
        await manager.streams.add({
          name: STREAM,
          subjects: [SUBJECT],
          retention: RetentionPolicy.Workqueue,
          storage: context.variant['inFiles'] === true ? StorageType.File : StorageType.Memory,
        });
        await manager.consumers.add(STREAM, {
          durable_name: WORKER,
          ack_policy: AckPolicy.Explicit,
          max_ack_pending: UNDER_WAY_MAX,
        });
        const consumer = await jetstream(connection).consumers.get(STREAM, WORKER);
        const messages = await consumer.consume({
          max_messages: UNDER_WAY_MAX,
          callback: (message) => {
            connection.publish(DONE, message.data);
            message.ack();
          },
        });
        await connection.flush();
        return {
          stop: async () => {
            await messages.close();
            await connection.close();
          },
        };
      },
    },
    {
      name: 'client',
      async start(context) {
        const connection = await connect({ servers: addressOf(context, 'broker') });
        const queue = jetstream(connection);
        const waiting = new Map<string, () => void>();
        connection.subscribe(DONE, {
          callback: (_error, message) => {
            const task = message.string();
            waiting.get(task)?.();
            waiting.delete(task);
          },
        });
        await connection.flush();
        let submitted = 0;
        return {
          abilities: {
            // Both are waited for: that the broker has the task, and that it is done.
            runTask: async () => {
              submitted += 1;
              const task = `task-${submitted}`;
              const ended = new Promise<void>((resolve) => {
                waiting.set(task, resolve);
              });
              await queue.publish(SUBJECT, task);
              await ended;
            },
          },
          stop: async () => connection.close(),
        };
      },
    },
  ],
};
