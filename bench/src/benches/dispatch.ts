/** Tasks: how soon one that does nothing is back, how many go through, and what a crowd of agents and a long queue cost. */
import type { Bench } from '../harness/model.ts';
import { decisions } from '../workloads/decisions.ts';
import { idle } from '../workloads/idle.ts';
import { taskLatency, tasksInFlight } from '../workloads/tasks.ts';
import { shortTasksInThreads, tinyTasksInThreads } from '../workloads/tiny-tasks.ts';

const SWARM = 'quic-swarm';
const CROWD = 'quic-swarm and 1,000 idle agents';
const TINY = 'quic-swarm, default slots, threads';
const TINY_ON_MAIN = 'quic-swarm, default slots, main thread';
const BULLMQ_THREADS = 'BullMQ, worker threads';
const NATS = 'NATS request/reply, plain';
const JETSTREAM = 'JetStream, in memory, plain';
const BULLMQ = 'BullMQ and redis, plain';
const CORE = 'core, 10 agents, 10³ queued';
const CORE_AGENTS = 'core, 1,000 agents, 10³ queued';
const CORE_BOTH = 'core, 1,000 agents, 10⁶ queued';

/** Microseconds of CPU per second that are one percent of a core. */
const PERCENT = 10_000;

export const dispatch: Bench = {
  name: 'dispatch',
  title: 'Tasks from a client through a coordinator to an agent and back',
  rounds: 5,
  quickRounds: 2,
  contestants: [
    { name: SWARM, kind: 'ours', peer: 'swarm' },
    {
      name: CROWD,
      kind: 'ours',
      peer: 'swarm-crowd',
      variant: { idleAgents: 1000 },
      // The first warms it up as it does the one without a crowd.
      workloads: [tasksInFlight.name, taskLatency.name, idle.name],
      // A crowd takes seconds to join, and its heartbeats would disturb everybody else's turns.
      isRestless: true,
      isLong: true,
      roundsMax: 3,
      note: 'at most 3 rounds, with new processes each',
      settings: { [taskLatency.name]: { warmUpMs: 2000 }, [idle.name]: { warmUpMs: 3000 } },
    },
    { name: TINY, kind: 'ours', peer: 'swarm-tiny' },
    { name: TINY_ON_MAIN, kind: 'ours', peer: 'swarm-tiny', variant: { onMainThread: true } },
    // It has no threads: what it computes for tiny tasks, it computes where it receives.
    { name: NATS, kind: 'peer', peer: 'nats' },
    { name: JETSTREAM, kind: 'peer', peer: 'jetstream' },
    { name: BULLMQ, kind: 'peer', peer: 'bullmq' },
    { name: BULLMQ_THREADS, kind: 'peer', peer: 'bullmq', variant: { inThreads: true } },
    { name: 'gRPC through one hop', kind: 'peer', peer: 'grpc-relay' },
    core(CORE, 10, 1000),
    core(CORE_AGENTS, 1000, 1000),
    { ...core(CORE_BOTH, 1000, 1_000_000), isLong: true },
  ],
  plans: [
    // First, because it runs the code so often that it is compiled when single tasks are timed.
    { workload: tasksInFlight, quick: { warmUpMs: 500, durationMs: 700 } },
    { workload: tinyTasksInThreads, quick: { warmUpMs: 500, durationMs: 700 } },
    { workload: shortTasksInThreads, quick: { warmUpMs: 500, durationMs: 700 } },
    { workload: taskLatency, quick: { warmUpMs: 200, durationMs: 400, countMin: 0 } },
    { workload: idle, quick: { durationMs: 1000 } },
    { workload: decisions },
  ],
  targets: [
    {
      name: '256 in flight, to NATS request/reply',
      unit: '×',
      comparator: '>=',
      target: 1.1,
      measure: (results) => results.ratio(tasksInFlight.name, 'rate', SWARM, NATS),
    },
    {
      name: '256 in flight, to BullMQ',
      unit: '×',
      comparator: '>=',
      target: 5,
      measure: (results) => results.ratio(tasksInFlight.name, 'rate', SWARM, BULLMQ),
    },
    {
      // A hop to a thread costs more than such a task; shared by many it should not be what limits them.
      name: 'tiny tasks, threads to main thread',
      unit: '×',
      comparator: '>=',
      target: 0.5,
      measure: (results) => results.ratio(tinyTasksInThreads.name, 'rate', TINY, TINY_ON_MAIN),
    },
    {
      name: 'tiny tasks in threads, to BullMQ',
      unit: '×',
      comparator: '>=',
      target: 5,
      measure: (results) => results.ratio(tinyTasksInThreads.name, 'rate', TINY, BULLMQ_THREADS),
    },
    {
      name: 'one at a time, p50',
      unit: 'ms',
      comparator: '<=',
      target: 0.28,
      measure: (results) => results.value(taskLatency.name, SWARM, 'p50'),
    },
    {
      name: "1,000 idle agents: the coordinator's share of a core",
      unit: '%',
      comparator: '<',
      target: 5,
      measure: (results) => {
        const micros = results.value(idle.name, CROWD, 'cpu coordinator');
        return micros === undefined ? undefined : micros / PERCENT;
      },
    },
    {
      // "Unchanged" within what two runs of the same differ by.
      name: '1,000 idle agents: p50 with them to p50 without',
      unit: '×',
      comparator: '<=',
      target: 1.1,
      measure: (results) => results.ratio(taskLatency.name, 'p50', CROWD, SWARM),
    },
    {
      name: 'decisions, 10 to 1,000 agents',
      unit: '×',
      comparator: '<',
      target: 1.5,
      measure: (results) => results.ratio(decisions.name, 'CPU', CORE_AGENTS, CORE),
    },
    {
      name: 'decisions, 10 to 1,000 agents and 10³ to 10⁶ queued',
      unit: '×',
      comparator: '<',
      target: 1.5,
      measure: (results) => results.ratio(decisions.name, 'CPU', CORE_BOTH, CORE),
    },
  ],
};

function core(name: string, agents: number, queued: number): Bench['contestants'][number] {
  return {
    name,
    kind: 'ours',
    peer: 'coordinator-core',
    variant: { agents, queued },
    workloads: [decisions.name],
  };
}
