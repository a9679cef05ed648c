/**
 * What a seed stands for: how large the swarm is, what its users want, and which faults it meets. Swarm testing: every
 * feature and every fault is off in many seeds, so that those which are on show what they do.
 */
import type { Labels } from '@quic-swarm/protocol';
import type { AgentSpecification } from './agent-process.ts';
import type { CoordinatorHabits } from './coordinator-process.ts';
import { FAULT_KINDS, type FaultKind } from './fault-kinds.ts';
import type { RandomStream } from './random-stream.ts';
import type { DiskHabits } from './simulated-disk.ts';
import type { Weather } from './weather.ts';

/** The task types of a simulation, with the agent type that computes each. */
export const TASK_TYPES = {
  PatternMatch: 'pattern',
  FeatureEngineering: 'feature',
  'my.task': 'compute',
} as const;

/** Labels that agents carry and tasks ask for. */
export const ZONES = ['east', 'west'] as const;

/** What a submission may ask for. */
export const TASK_FEATURES = [
  'priorities',
  'retries',
  'startLimits',
  'attemptLimits',
  'deadlines',
  'delays',
  'onlyOnce',
  'keys',
  'shards',
  'datasets',
  'endsWithClient',
  'watchLevels',
  'fairness',
  'hedging',
  'dependencies',
  'durable',
  'durableOnly',
  'chunks',
  'progress',
  'labels',
  'learning',
] as const;

/** One of {@link TASK_FEATURES}. */
export type TaskFeature = (typeof TASK_FEATURES)[number];

/** What handlers do wrong. */
export const HANDLER_FAULTS = ['fails', 'failsForGood', 'crashesThread', 'killsAgent'] as const;

/** See the head of this file. */
export interface Plan {
  readonly agents: readonly AgentSpecification[];
  readonly clients: readonly string[];
  readonly tasks: number;
  /** Tasks are submitted and faults happen for so long. */
  readonly durationMs: number;
  readonly computeMsMax: number;
  readonly weather: Weather;
  readonly habits: CoordinatorHabits;
  readonly resetsConnections: boolean;
  readonly disk: DiskHabits;
  readonly keepsDatasets: boolean;
  readonly taskFeatures: ReadonlySet<TaskFeature>;
  readonly handlerFaults: readonly (typeof HANDLER_FAULTS)[number][];
  /** Probability that a handler does something wrong. */
  readonly handlerFaultRate: number;
  /** Probabilities that a task's user changes his mind. */
  readonly cancelRate: number;
  readonly abandonRate: number;
  /** Users look after dead letters so often; undefined: nobody does. */
  readonly deadLettersEveryMs: number | undefined;
  /** Mean time between two faults of a kind. */
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** Whether somebody starts dead agents again. */
  readonly restartsAgents: boolean;
}

/** What a seed stands for. */
export function planOf(random: RandomStream): Plan {
  const sizes = random.fork('sizes');
  const mix = random.fork('mix');
  const features = random.fork('features');
  const deadLetters = random.fork('dead letters');
  const isTiny = sizes.chance(0.2);
  const tasks = isTiny ? 30 + sizes.below(70) : 3 + sizes.below(30);
  const durationMs = sizes.magnitude(500, 15_000);
  // Where somebody looks after dead letters there are some.
  const hasDeadLetters = deadLetters.chance(0.35);
  const handlerFaults = HANDLER_FAULTS.filter(
    (fault) => mix.chance(0.35) || (hasDeadLetters && fault === 'fails'),
  );
  return {
    agents: agentsOf(sizes.fork('agents'), 1 + sizes.below(5)),
    clients: Array.from({ length: 1 + sizes.below(3) }, (_, n) => `c${n + 1}`),
    tasks,
    durationMs,
    computeMsMax: isTiny ? 0.4 : sizes.magnitude(5, 3000),
    weather: weatherOf(random.fork('weather')),
    habits: habitsOf(random.fork('habits')),
    resetsConnections: mix.chance(0.5),
    disk: diskOf(random.fork('disk')),
    keepsDatasets: mix.chance(0.5),
    // Each has its own stream: a feature more does not change what the others do.
    taskFeatures: new Set(TASK_FEATURES.filter((name) => features.fork(name).chance(0.35))),
    handlerFaults,
    handlerFaultRate:
      handlerFaults.length === 0 ? 0 : mix.magnitude(hasDeadLetters ? 0.2 : 0.03, 0.6),
    cancelRate: mix.chance(0.3) ? mix.magnitude(0.05, 0.6) : 0,
    abandonRate: mix.chance(0.2) ? mix.magnitude(0.05, 0.6) : 0,
    deadLettersEveryMs: hasDeadLetters ? durationMs * deadLetters.magnitude(0.005, 0.1) : undefined,
    faults: faultsOf(random.fork('faults'), durationMs),
    restartsAgents: mix.chance(0.6),
  };
}

/** An agent of each type in each zone and none left out: what a swarm needs to end everything. */
export function ableAgents({ taskFeatures }: Plan): AgentSpecification[] {
  const zones = taskFeatures.has('labels') ? ZONES : ZONES.slice(0, 1);
  return zones.flatMap((zone) =>
    Object.values(TASK_TYPES).map((agentType) => ({
      agentId: `able-${agentType}-${zone}`,
      agentType,
      capabilities: Object.keys(TASK_TYPES),
      labels: { zone, fast: 'yes' },
      slots: 4,
      threads: 4,
    })),
  );
}

function agentsOf(random: RandomStream, count: number): AgentSpecification[] {
  return Array.from({ length: count }, (_, n) => {
    const [taskType, agentType] = random.pick(Object.entries(TASK_TYPES));
    const slots = 1 + random.below(4);
    return {
      agentId: `a${n + 1}`,
      agentType,
      capabilities: random.chance(0.5) ? [taskType] : [taskType, 'my.task'],
      labels: labelsOf(random.fork(`labels ${n}`)),
      slots,
      threads: random.chance(0.7) ? slots : 1 + random.below(slots),
    };
  });
}

function labelsOf(random: RandomStream): Labels {
  const zone = random.pick(ZONES);
  return random.chance(0.5) ? { zone, fast: 'yes' } : { zone };
}

function weatherOf(random: RandomStream): Weather {
  const isCalm = random.chance(0.3);
  return {
    delayMs: random.magnitude(0.1, 50),
    jitterMs: isCalm ? 0 : random.magnitude(0.1, 50),
    lossRate: isCalm || random.chance(0.5) ? 0 : random.magnitude(0.005, 0.3),
    reorderRate: isCalm || random.chance(0.5) ? 0 : random.magnitude(0.01, 0.5),
    reorderMs: random.magnitude(1, 300),
    ownStreamRate: random.chance(0.5) ? 0 : random.magnitude(0.02, 1),
  };
}

function habitsOf(random: RandomStream): CoordinatorHabits {
  return {
    settlesTogether: random.chance(0.5),
    decisions: {
      features: ['shards', 'durable', 'fairness', 'hedging', 'dependencies', 'learning'],
      mergedTaskTypes: Object.keys(TASK_TYPES),
      ...(random.chance(0.3) ? { pendingTasksMax: 3 + random.below(20) } : {}),
      ...(random.chance(0.2) ? { finishedTasksMax: 1 + random.below(20) } : {}),
      ...(random.chance(0.2) ? { datasetsBytesMax: 2 + random.below(3) } : {}),
      ...(random.chance(0.4) ? { snapshotRecordsMin: 5 + random.below(60) } : {}),
      ...(random.chance(0.3) ? { priorityAgeingMs: 50 + random.below(1000) } : {}),
      ...(random.chance(0.3) ? { startToCloseSlackMs: random.below(500) } : {}),
    },
  };
}

function diskOf(random: RandomStream): DiskHabits {
  const syncMsMin = random.magnitude(0.05, 5);
  return { syncMsMin, syncMsMax: syncMsMin * random.magnitude(1, 20), isLying: false };
}

function faultsOf(random: RandomStream, durationMs: number): Map<FaultKind, number> {
  const faults = new Map<FaultKind, number>();
  if (random.chance(0.15)) return faults;
  for (const kind of FAULT_KINDS) {
    const own = random.fork(kind);
    if (own.chance(0.25)) faults.set(kind, durationMs * own.magnitude(0.1, 1));
  }
  return faults;
}
