/**
 * BullMQ, without encryption: a client, redis-server (in memory only, or by the variant in a file that is synchronised
 * before any command is answered), and a worker.
 */
import { availableParallelism } from 'node:os';
import { Queue, QueueEvents, Worker, type ConnectionOptions } from 'bullmq';
import { addressOf, hostAndPort, type Peer, type ProcessContext } from './contract.ts';
import { startProgram } from './program.ts';

const QUEUE = 'bench';
const CONCURRENCY = 512;

export const peer: Peer = {
  packages: ['bullmq', 'ioredis'],
  programs: ['redis-server'],
  processes: [
    {
      name: 'broker',
      start: async ({ variant }) =>
        startProgram('redis-server', (port, directory) => [
          '--port',
          String(port),
          '--bind',
          '127.0.0.1',
          '--dir',
          directory,
          '--save',
          '',
          '--appendonly',
          variant['isSynchronised'] === true ? 'yes' : 'no',
          '--appendfsync',
          'always',
        ]),
    },
    {
      name: 'worker',
      async start(context) {
        const connection = connectionTo(context);
        const worker = areThreads(context)
          ? new Worker(QUEUE, new URL('./bullmq-tiny-task.js', import.meta.url), {
              connection,
              useWorkerThreads: true,
              // It starts a thread for each of them.
              concurrency: availableParallelism(),
            })
          : new Worker(QUEUE, async () => null, { connection, concurrency: CONCURRENCY });
        worker.on('error', () => undefined);
        await worker.waitUntilReady();
        return { stop: async () => worker.close(true) };
      },
    },
    {
      name: 'client',
      async start(context) {
        const connection = connectionTo(context);
        const queue = new Queue(QUEUE, { connection });
        const events = new QueueEvents(QUEUE, { connection });
        queue.on('error', () => undefined);
        events.on('error', () => undefined);
        await events.waitUntilReady();
        const waiting = new Map<string, () => void>();
        events.on('completed', ({ jobId }) => {
          waiting.get(jobId)?.();
          waiting.delete(jobId);
        });
        let submitted = 0;
        const runTask = async (input: number | null): Promise<void> => {
          submitted += 1;
          const jobId = `task-${submitted}`;
          const ended = new Promise<void>((resolve) => {
            waiting.set(jobId, resolve);
          });
          await queue.add('nothing', input, { jobId, removeOnComplete: true });
          await ended;
        };
        return {
          // The end is heard from the event stream: asking for each job's state first would be slower.
          abilities: areThreads(context)
            ? { runTinyTask: async (computeMs) => runTask(computeMs) }
            : { runTask: async () => runTask(null) },
          stop: async () => {
            await events.close();
            await queue.close();
          },
        };
      },
    },
  ],
};

function areThreads({ variant }: ProcessContext): boolean {
  return variant['inThreads'] === true;
}

function connectionTo(context: ProcessContext): ConnectionOptions {
  return { ...hostAndPort(addressOf(context, 'broker')), maxRetriesPerRequest: null };
}
