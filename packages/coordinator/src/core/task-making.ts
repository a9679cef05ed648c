/** From a submission to the record of a task, and from a task to those that are made of it: its parts and its second copy. */
import {
  AGENT_TYPE_OF_TASK,
  DEFAULT_PRIORITY,
  decodedBytesOf,
  isBuiltInTaskType,
  type PayloadEncoding,
  type SubmitTask,
} from '@quic-swarm/protocol';
import type { ArmChoice } from '@quic-swarm/reasoning';
import { hashBytes } from './hash.ts';
import type { CoreOptions } from './options.ts';
import {
  NO_WATCHERS,
  type Dependencies,
  type Idempotency,
  type Learning,
  type ShardRole,
  type Split,
  type Submitter,
  type Task,
  type TaskNeeds,
  type TaskTerms,
} from './task.ts';

/** What a submission says of its task. */
export type TaskSubmission = Omit<SubmitTask, 'requestId' | 'watch'>;

const NO_DATASETS: SubmitTask['datasets'] = [];

const NO_CONTEXT = new Float64Array(0);

/** Of what is done only when there is nothing else to do. */
const LAST_PRIORITY = 5;

/** Of attempts that are not repeated. */
const ONCE = { maximumAttempts: 1, maximumDeliveries: 1 } as const;

/** Inputs up to here may lie at an agent by the hundreds: some hundred of them are about a megabyte. */
const AHEAD_INPUT_BYTES_MAX = 4096;

/** Makes the record of an accepted submission, in state `waiting`; whoever accepts it moves it on. */
export function createTask(
  submission: TaskSubmission,
  shared: {
    readonly needs: TaskNeeds;
    readonly terms: TaskTerms;
    readonly submitter: Submitter;
  },
  order: number,
  nowMs: number,
): Task {
  const { datasets } = submission;
  // What is looked at when a task is queued and given away comes first, so that it lies side by side.
  return {
    taskId: submission.taskId,
    idHash: 0,
    needs: shared.needs,
    terms: shared.terms,
    state: 'waiting',
    isRunnable: false,
    order,
    acceptedAtMs: nowMs,
    requeuedAtMs: undefined,
    next: undefined,
    previous: undefined,
    attempt: 0,
    agentId: undefined,
    lease: undefined,
    datasets: datasets.length === 0 ? NO_DATASETS : datasets,
    input: submission.payload,
    inputEncoding: submission.payloadEncoding,
    watchers: NO_WATCHERS,
    split: splitOf(submission),
    shard: undefined,
    hedging: undefined,
    learning: learningOf(submission, order),
    submitter: shared.submitter,
    durability: undefined,
    after: dependenciesOf(submission),
    dependents: 0,
    idempotency: idempotencyOf(submission),
    replayOf: undefined,
    cancelRequested: undefined,
    output: undefined,
    trouble: undefined,
    timers: undefined,
    startToCloseTimer: undefined,
    firstStartedAtMs: undefined,
    endedAtMs: undefined,
    computeMs: undefined,
    result: undefined,
    resultEncoding: undefined,
    resultType: undefined,
  };
}

function splitOf({ shards, positions = 0 }: TaskSubmission): Split | undefined {
  if (shards === undefined) return undefined;
  return {
    wanted: shards,
    positions,
    shards: [],
    results: [],
    resultBytes: 0,
    resultType: undefined,
    ended: new Set(),
    isMerging: false,
    bound: Infinity,
    toldPercent: 0,
    count: 0,
    succeeded: 0,
    attempts: 0,
  };
}

/**
 * Makes the record of a part: a task of its own that asks for what its parent asks for and shares its needs, its terms
 * and its input, and that nobody watches.
 */
export function createShard(
  parent: Task,
  role: Omit<ShardRole, 'parent'>,
  taskId: string,
  order: number,
  nowMs: number,
): Task {
  return { ...madeOf(parent, taskId, order, nowMs), shard: { parent, ...role } };
}

/** Makes the record of a second copy of a running task, which nobody watches either. */
export function createCopy(original: Task, taskId: string, order: number, nowMs: number): Task {
  return {
    ...madeOf(original, taskId, order, nowMs),
    hedging: { timer: undefined, copy: undefined, original },
    // One that fails is no loss: its original goes on.
    terms: { ...original.terms, retry: { ...original.terms.retry, ...ONCE } },
  };
}

/**
 * Makes the record of a replay of a task with another arm, which nobody watches and nobody waits for: it comes last, is
 * tried once, and may run at agents of another type that have a handler for it.
 */
export function createShadow(
  repeated: Task,
  role: { readonly needs: TaskNeeds; readonly choice: ArmChoice; readonly input: TaskInput },
  taskId: string,
  order: number,
  nowMs: number,
): Task {
  const { learning, terms } = repeated;
  return {
    ...madeOf(repeated, taskId, order, nowMs),
    needs: role.needs,
    input: role.input.bytes,
    inputEncoding: role.input.encoding,
    after: undefined,
    terms: {
      ...terms,
      priority: LAST_PRIORITY,
      fairnessKey: undefined,
      hedge: false,
      onClientLoss: 'keep',
      retry: { ...terms.retry, ...ONCE },
    },
    learning: {
      context: learning?.context ?? NO_CONTEXT,
      seriesId: learning?.seriesId,
      step: learning?.step ?? repeated.order,
      wantsShadow: false,
      choice: role.choice,
      shadowOf: repeated,
    },
  };
}

/** An input that outlives its task. */
export interface TaskInput {
  readonly bytes: Uint8Array | undefined;
  readonly encoding: PayloadEncoding | undefined;
}

function learningOf({ learn }: TaskSubmission, order: number): Learning | undefined {
  if (learn === undefined) return undefined;
  const { context, seriesId, step = order, shadow = true } = learn;
  return {
    // A decoded array may be a window on a large receive buffer.
    context: context === undefined ? NO_CONTEXT : Float64Array.from(context),
    seriesId,
    step,
    wantsShadow: shadow,
    choice: undefined,
    shadowOf: undefined,
  };
}

/** What the task is, and nothing of what became of it. */
function madeOf(task: Task, taskId: string, order: number, nowMs: number): Task {
  return {
    ...task,
    taskId,
    idHash: 0,
    state: 'waiting',
    isRunnable: false,
    order,
    acceptedAtMs: nowMs,
    requeuedAtMs: undefined,
    next: undefined,
    previous: undefined,
    attempt: 0,
    agentId: undefined,
    lease: undefined,
    watchers: NO_WATCHERS,
    split: undefined,
    shard: undefined,
    hedging: undefined,
    // What is written down is the task itself: what is made of it is made again.
    durability: undefined,
    dependents: 0,
    idempotency: undefined,
    output: undefined,
    trouble: undefined,
    timers: undefined,
    startToCloseTimer: undefined,
    firstStartedAtMs: undefined,
    computeMs: undefined,
  };
}

function dependenciesOf({ after = [] }: TaskSubmission): Dependencies | undefined {
  return after.length === 0 ? undefined : { taskIds: [...new Set(after)], unfinished: 0 };
}

function idempotencyOf(submission: TaskSubmission): Idempotency | undefined {
  const { idempotencyKey: key, payload } = submission;
  if (key === undefined) return undefined;
  return { key, inputBytes: decodedBytesOf(submission), inputHash: hashBytes(payload) };
}

/** What a submission needs of an agent. */
export function needsOf(submission: TaskSubmission): TaskNeeds {
  const { taskType, agentType, labels, idempotent = true, datasets, shards } = submission;
  const byType = isBuiltInTaskType(taskType) ? AGENT_TYPE_OF_TASK[taskType] : undefined;
  const isLight = datasets.length === 0 && decodedBytesOf(submission) <= AHEAD_INPUT_BYTES_MAX;
  return {
    taskType,
    agentType: agentType ?? byType,
    labels,
    // Parts are there to be spread: none should wait behind another.
    mayGoAhead: idempotent && isLight && shards === undefined,
  };
}

/** How tasks are treated whose submission says nothing of it. */
export function defaultTerms({ retry, startToCloseMs }: CoreOptions): TaskTerms {
  return {
    priority: DEFAULT_PRIORITY,
    idempotent: true,
    retry,
    startToCloseMs,
    onClientLoss: 'keep',
    fairnessKey: undefined,
    hedge: false,
  };
}

/** How a submission is to be treated: the defaults themselves where it differs in nothing. */
export function termsOf(submission: TaskSubmission, defaults: TaskTerms): TaskTerms {
  const {
    priority = defaults.priority,
    idempotent = defaults.idempotent,
    retry,
    startToCloseMs = defaults.startToCloseMs,
    onClientLoss = defaults.onClientLoss,
    fairnessKey,
    hedge = defaults.hedge,
  } = submission;
  const isDefault =
    priority === defaults.priority &&
    idempotent === defaults.idempotent &&
    retry === undefined &&
    startToCloseMs === defaults.startToCloseMs &&
    onClientLoss === defaults.onClientLoss &&
    fairnessKey === undefined &&
    hedge === defaults.hedge;
  if (isDefault) return defaults;
  return {
    priority,
    idempotent,
    retry: retry === undefined ? defaults.retry : { ...defaults.retry, ...retry },
    startToCloseMs,
    onClientLoss,
    fairnessKey,
    hedge,
  };
}
