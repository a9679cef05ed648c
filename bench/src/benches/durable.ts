/** Tasks that are on disk before anybody is told that they were accepted or done, and a long queue. */
import type { Bench } from '../harness/model.ts';
import { fillQueue } from '../workloads/fill-queue.ts';
import { taskLatency, tasksInFlight } from '../workloads/tasks.ts';

const DURABLE = 'quic-swarm, durable';
const EPHEMERAL = 'quic-swarm, not durable';
const JETSTREAM = 'JetStream, in files, plain';
const BULLMQ = 'BullMQ and redis, synced, plain';
const FILLED = 'quic-swarm, a long queue';
const FILLED_DURABLE = 'quic-swarm, a long queue, durable';

const dispatched = [tasksInFlight.name, taskLatency.name];

export const durable: Bench = {
  name: 'durable',
  title: 'Durable tasks, and a long queue',
  rounds: 5,
  quickRounds: 2,
  contestants: [
    {
      name: DURABLE,
      kind: 'ours',
      peer: 'swarm-durable',
      variant: { durable: true },
      workloads: dispatched,
    },
    {
      name: EPHEMERAL,
      kind: 'ours',
      peer: 'swarm-durable',
      variant: { durable: false },
      workloads: dispatched,
    },
    {
      name: JETSTREAM,
      kind: 'peer',
      peer: 'jetstream',
      variant: { inFiles: true },
      note: 'its files are synced every two minutes: what it has acknowledged is lost with the power',
    },
    {
      name: BULLMQ,
      kind: 'peer',
      peer: 'bullmq',
      variant: { isSynchronised: true },
      note: 'the same promise as ours: appendfsync always, so that no step of a task is answered before it is on disk',
    },
    {
      name: 'the disk: write and fdatasync',
      kind: 'floor',
      peer: 'disk',
      workloads: [taskLatency.name],
    },
    {
      name: FILLED,
      kind: 'ours',
      peer: 'swarm-durable',
      variant: { durable: false, isFilled: true },
      workloads: [fillQueue.name],
      isLong: true,
      roundsMax: 1,
    },
    {
      name: FILLED_DURABLE,
      kind: 'ours',
      peer: 'swarm-durable',
      variant: { durable: true, isFilled: true },
      workloads: [fillQueue.name],
      settings: { [fillQueue.name]: { count: 100_000 } },
      isLong: true,
      roundsMax: 1,
      note: 'a tenth of the tasks, since each is written to the disk',
    },
  ],
  plans: [
    { workload: tasksInFlight, quick: { warmUpMs: 500, durationMs: 700 } },
    { workload: taskLatency, quick: { warmUpMs: 200, durationMs: 400, countMin: 0 } },
    { workload: fillQueue, quick: { count: 50_000 } },
  ],
  targets: [
    {
      name: '256 in flight, to JetStream in files',
      unit: '×',
      comparator: '>=',
      target: 1.5,
      measure: (results) => results.ratio(tasksInFlight.name, 'rate', DURABLE, JETSTREAM),
    },
    {
      name: '256 in flight, to BullMQ with a synced redis',
      unit: '×',
      comparator: '>=',
      target: 1.5,
      measure: (results) => results.ratio(tasksInFlight.name, 'rate', DURABLE, BULLMQ),
    },
    {
      name: 'one at a time, p50',
      unit: 'ms',
      comparator: '<=',
      target: 0.6,
      measure: (results) => results.value(taskLatency.name, DURABLE, 'p50'),
    },
    {
      name: 'a million tasks queued: memory',
      unit: 'MiB',
      comparator: '<',
      target: 1024,
      measure: (results) => results.value(fillQueue.name, FILLED, 'memory'),
    },
    {
      name: 'a million tasks queued: last tenth to first tenth',
      unit: '×',
      comparator: '>=',
      target: 0.5,
      measure: (results) => {
        const first = results.value(fillQueue.name, FILLED, 'first tenth');
        const last = results.value(fillQueue.name, FILLED, 'last tenth');
        return first === undefined || last === undefined ? undefined : last / first;
      },
    },
  ],
};
