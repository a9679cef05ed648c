/**
 * What happens to a task at the agent: accepted or refused, started in order of arrival, stopped when somebody asks
 * or its time is over, completed, and its completion kept until the coordinator has acknowledged it. Nothing is sent
 * while there is no connection: what must not be lost is kept in the lease and sent by `resume`.
 */
import {
  TASK_DOCUMENTS,
  TEXT_LENGTH_MAX,
  failure as failureOf,
  isBuiltInTaskType,
  type AgentTask,
  type CancelTask,
  type Failure,
  type Lease,
  type Message,
  type MessageAck,
  type TaskCompletion,
} from '@quic-swarm/protocol';
import type { Effect, StandingStream } from './effects.ts';
import type { TaskResult } from './events.ts';
import { Arrivals } from './arrivals.ts';
import { isSameLease } from './lease-index.ts';
import { LeaseTable, hasLostChunks, type Abort, type HeldLease } from './leases.ts';

/** How long a handler may take to stop by itself where nobody named a time. */
export const ABORT_GRACE_MS = 1000;

/** Errors of a stream whose connection has ended. */
const CONNECTION_LOSSES: ReadonlySet<string> = new Set([
  'CONNECTION_LOST',
  'IDLE_TIMEOUT',
  'CLOSED_LOCALLY',
]);

/** How a task ended: by its handler, or without one. */
type Ended = Pick<TaskResult, 'outcome' | 'failure' | 'payload'> &
  Partial<Pick<TaskResult, 'computeMs' | 'usedArm'>>;

/** The tasks of one agent. */
export class Tasks {
  readonly leases: LeaseTable;
  capabilities: ReadonlySet<string>;
  /** Nothing new is accepted. */
  isDraining = false;
  /** Messages may be sent. */
  isConnected = false;
  /** Longest result that the coordinator takes. */
  payloadBytesMax: number = Number.MAX_SAFE_INTEGER;
  readonly #arrivals = new Arrivals();
  readonly #isObserved: boolean;

  /** @param isObserved somebody listens to what is told of each task */
  constructor(slots: number, capabilities: readonly string[], isObserved: boolean) {
    this.#isObserved = isObserved;
    this.leases = new LeaseTable(slots);
    this.capabilities = new Set(capabilities);
  }

  /** Every AgentTask of this connection up to this dispatchSequence has arrived. */
  get lastDispatchSequence(): number {
    return this.#arrivals.through;
  }

  /** True when nothing is computed and nothing waits for an acknowledgement. */
  get isIdle(): boolean {
    const { waiting, running, finished } = this.leases;
    return waiting.size + running.size + finished.size === 0;
  }

  /** The coordinator dispatched a task. */
  accept(task: AgentTask, nowMs: number, effects: Effect[]): void {
    this.#arrivals.note(task.dispatchSequence);
    const known = this.leases.find(task);
    if (known !== undefined && known.place !== 'abandoned') return;
    const refusal = this.#refusalOf(task, known);
    if (refusal !== undefined) {
      const { epoch, taskId, attempt } = task;
      const lease: Lease = { epoch, taskId, attempt };
      const body: MessageAck = { lease, status: 'REJECTED', failure: refusal };
      this.#send('control', { type: 'MessageAck', body }, effects);
      return;
    }
    const held = this.leases.accept(task, nowMs);
    if (!this.capabilities.has(task.taskType)) {
      this.#complete(held, { outcome: 'failed', failure: this.#unknownType(task) }, nowMs, effects);
      return;
    }
    if (held.datasets === 'fetching') {
      effects.push({ type: 'FetchDatasets', lease: held.lease, datasets: task.datasets });
    }
    this.startWaiting(nowMs, effects);
  }

  /** Starts what can start. */
  startWaiting(nowMs: number, effects: Effect[]): void {
    for (;;) {
      const next = this.leases.startNext(nowMs);
      if (next === undefined) return;
      const { held, task } = next;
      effects.push({ type: 'RunTask', lease: held.lease, task });
      if (!this.#isObserved) continue;
      const { taskId, taskType, attempt } = task;
      effects.push({ type: 'Notify', event: { type: 'taskStarted', taskId, taskType, attempt } });
    }
  }

  /** Handlers have begun and did not end at once: the coordinator should know that they run. */
  begun(leases: readonly Lease[], effects: Effect[]): void {
    for (const lease of leases) {
      const held = this.leases.findIn('running', lease);
      if (held !== undefined) this.#sayStart(held, effects);
    }
  }

  datasetsReady(lease: Lease, nowMs: number, effects: Effect[]): void {
    const held = this.leases.findIn('waiting', lease);
    if (held === undefined) return;
    held.datasets = 'ready';
    this.startWaiting(nowMs, effects);
  }

  /**
   * A fetch that failed with the connection begins again on the next one; every other failure is the task's. The
   * fetch may hear of the loss before the session does.
   */
  datasetsFailed(lease: Lease, failure: Failure, nowMs: number, effects: Effect[]): void {
    const held = this.leases.findIn('waiting', lease);
    if (held === undefined) return;
    const isLost = !this.isConnected || CONNECTION_LOSSES.has(failure.type);
    if (isLost) held.datasets = 'absent';
    else this.#complete(held, { outcome: 'failed', failure }, nowMs, effects);
  }

  progress(lease: Lease, fraction: number, text: string | undefined, effects: Effect[]): void {
    const held = this.leases.findIn('running', lease);
    if (held === undefined) return;
    this.#sayStart(held, effects);
    const body = { ...held.lease, fraction, ...(text === undefined ? {} : { text }) };
    this.#send('dispatch', { type: 'TaskProgress', body }, effects);
  }

  /** A part of a result. All parts together may be as long as a result, since the coordinator keeps them all. */
  chunk(lease: Lease, payload: Uint8Array, nowMs: number, effects: Effect[]): void {
    const held = this.leases.findIn('running', lease);
    if (held === undefined) return;
    if (held.emittedBytes + payload.length > this.payloadBytesMax) {
      const failure = failureOf(
        'PAYLOAD_TOO_LARGE',
        `The partial results have more than the ${this.payloadBytesMax} bytes that the coordinator takes.`,
      );
      this.#abort(held, { outcome: 'failed', failure }, ABORT_GRACE_MS, nowMs, effects);
      return;
    }
    this.#sayStart(held, effects);
    const sequence = held.chunkCount;
    this.leases.addChunk(held, payload);
    this.#sendChunk(held, sequence, payload, effects);
  }

  /** The handler has ended. */
  finished(lease: Lease, result: TaskResult, nowMs: number, effects: Effect[]): void {
    const held = this.leases.find(lease);
    if (held?.place === 'abandoned') {
      this.leases.drop(held);
      this.#release(held, effects);
    } else if (held?.place === 'running') this.#complete(held, result, nowMs, effects);
    this.startWaiting(nowMs, effects);
  }

  /** Somebody wants the task stopped. A completion that is on its way stands; an unknown lease is ignored. */
  cancel(
    { taskId, epoch, attempt, reason, graceMs }: CancelTask,
    nowMs: number,
    effects: Effect[],
  ): void {
    for (const held of [...this.leases.waiting, ...this.leases.running]) {
      const { lease } = held;
      if (lease.taskId !== taskId) continue;
      if (epoch !== undefined && lease.epoch !== epoch) continue;
      if (attempt !== undefined && lease.attempt !== attempt) continue;
      const failure = failureOf('TASK_CANCELLED', `The task was cancelled: ${reason}`);
      this.#abort(held, { outcome: 'cancelled', failure }, graceMs, nowMs, effects);
    }
  }

  /** Stops every running task, so that it is tried elsewhere. */
  abortRunning(reason: string, nowMs: number, effects: Effect[]): void {
    for (const held of this.leases.running) {
      const failure = failureOf('DRAINING', `The agent left before the task was done: ${reason}`);
      this.#abort(held, { outcome: 'failed', failure }, ABORT_GRACE_MS, nowMs, effects);
    }
  }

  /** Gives back leases that were not started: those named, or all. */
  giveBack(wanted: readonly Lease[] | 'all', reason: string, effects: Effect[]): void {
    const leases: Lease[] = [];
    for (const held of this.leases.waiting) {
      if (wanted !== 'all' && !wanted.some((lease) => isSameLease(lease, held.lease))) continue;
      this.leases.drop(held);
      this.#release(held, effects);
      leases.push(held.lease);
    }
    if (wanted === 'all' && leases.length === 0) return;
    // On the stream of the heartbeats and of the farewell, so that neither overtakes it.
    this.#send('control', { type: 'LeaseReturn', body: { leases, reason } }, effects);
  }

  /** The coordinator has taken note of a completion. */
  acknowledged({ lease, status }: MessageAck): void {
    if (lease === undefined || (status !== 'PROCESSED' && status !== 'STALE')) return;
    const held = this.leases.findIn('finished', lease);
    if (held !== undefined) this.leases.drop(held);
  }

  /** A new connection stands: keeps the leases that the coordinator still counts and repeats what it may have missed. */
  resume(resumedLeases: readonly Lease[], nowMs: number, effects: Effect[]): void {
    this.#arrivals.reset();
    const counted = new Set(resumedLeases.map((lease) => this.leases.find(lease)));
    const { waiting, running, finished } = this.leases;
    for (const held of [...waiting, ...running, ...finished]) {
      if (!counted.has(held)) this.#forsake(held, effects);
    }
    for (const held of waiting) {
      if (held.datasets !== 'absent') continue;
      held.datasets = 'fetching';
      effects.push({ type: 'FetchDatasets', lease: held.lease, datasets: held.datasetIds });
    }
    for (const held of [...running, ...finished]) {
      this.#repeat(held, nowMs, effects);
    }
    this.startWaiting(nowMs, effects);
  }

  /** Stops what is over its time. */
  tick(nowMs: number, effects: Effect[]): void {
    for (const held of this.leases.overdue(nowMs)) {
      const failure = failureOf(
        'TASK_TIMEOUT',
        `The attempt ran longer than its startToCloseMs of ${held.startToCloseMs} ms.`,
      );
      this.#abort(held, { outcome: 'failed', failure }, ABORT_GRACE_MS, nowMs, effects);
    }
  }

  #refusalOf(task: AgentTask, abandoned: HeldLease | undefined): Failure | undefined {
    const { taskId, attempt } = task;
    if (this.isDraining) return failureOf('DRAINING', 'The agent is draining.');
    // An attempt has one number. Two handlers under it could not be told apart, and the end of one would be both's.
    if (abandoned !== undefined) {
      const message = `Attempt ${attempt} of task ${taskId} has not ended here since it was taken away.`;
      return failureOf('CREDIT_EXCEEDED', message);
    }
    if (this.leases.hasCredit) return undefined;
    const { credit } = this.leases;
    return failureOf('CREDIT_EXCEEDED', `Task ${taskId} is over the agent's credit of ${credit}.`);
  }

  #unknownType({ taskType }: AgentTask): Failure {
    const known = [...this.capabilities].join(', ');
    return failureOf('UNKNOWN_TASK_TYPE', `The agent has no handler for ${taskType}.`, {
      hint: `It has handlers for: ${known === '' ? 'nothing yet' : known}.`,
    });
  }

  #abort(held: HeldLease, abort: Abort, graceMs: number, nowMs: number, effects: Effect[]): void {
    if (held.place === 'waiting') {
      this.#complete(held, abort, nowMs, effects);
      return;
    }
    // The first reason stands: a second one would only change the words.
    if (held.abort !== undefined) return;
    held.abort = abort;
    held.timeoutAtMs = undefined;
    effects.push({ type: 'AbortTask', lease: held.lease, graceMs });
  }

  /** Ends a waiting or running lease. What the handler returned before it noticed an abort stands. */
  #complete(held: HeldLease, result: Ended, nowMs: number, effects: Effect[]): void {
    const ending = result.outcome === 'succeeded' ? result : (held.abort ?? result);
    const completion = this.#completionOf(held, ending, nowMs);
    if (result.computeMs !== undefined) completion.computeMs = result.computeMs;
    if (result.usedArm === true && held.arm !== undefined) completion.arm = held.arm;
    this.leases.finish(held, completion);
    this.#release(held, effects);
    this.#send('dispatch', { type: 'TaskCompletion', body: completion }, effects);
    if (!this.#isObserved) return;
    const { outcome, failure, computeMs, waitMs, taskId, attempt } = completion;
    const { taskType } = held;
    const event = { taskId, taskType, attempt, outcome, computeMs, waitMs } as const;
    effects.push({
      type: 'Notify',
      event: { type: 'taskFinished', ...event, ...(failure === undefined ? {} : { failure }) },
    });
  }

  /** Optional fields are added one by one: a literal made of spreads takes several times the memory. */
  #completionOf(held: HeldLease, ending: Ended, nowMs: number): TaskCompletion {
    const { lease, taskType, receivedAtMs, startedAtMs, chunkCount } = held;
    const { epoch, taskId, attempt } = lease;
    const waitMs = Math.max(0, (startedAtMs ?? nowMs) - receivedAtMs);
    const { outcome, payload } = ending;
    const completion: TaskCompletion = {
      epoch,
      taskId,
      attempt,
      outcome,
      chunkCount,
      computeMs: 0,
      waitMs,
    };
    if (outcome !== 'succeeded') {
      completion.failure = bounded(
        ending.failure ?? failureOf('TASK_CANCELLED', 'The handler stopped by itself.'),
      );
    } else if (payload !== undefined && payload.length > this.payloadBytesMax) {
      completion.outcome = 'failed';
      completion.failure = failureOf(
        'PAYLOAD_TOO_LARGE',
        `The result has ${payload.length} bytes; the coordinator takes ${this.payloadBytesMax}.`,
        { hint: 'Return less, split the task, or raise the bound of the coordinator.' },
      );
    } else {
      if (isBuiltInTaskType(taskType)) completion.resultType = TASK_DOCUMENTS[taskType].resultType;
      if (payload !== undefined) completion.payload = payload;
    }
    return completion;
  }

  /** The coordinator does not count the lease any more: stop silently. */
  #forsake(held: HeldLease, effects: Effect[]): void {
    if (held.place !== 'running') {
      const wasWaiting = held.place === 'waiting';
      this.leases.drop(held);
      if (wasWaiting) this.#release(held, effects);
      return;
    }
    this.leases.abandon(held);
    if (held.abort === undefined) {
      effects.push({ type: 'AbortTask', lease: held.lease, graceMs: ABORT_GRACE_MS });
    }
  }

  /** Sends again what an earlier connection may have swallowed. The receivers ignore what they know. */
  #repeat(held: HeldLease, nowMs: number, effects: Effect[]): void {
    const isRunning = held.place === 'running';
    held.isStartSaid = false;
    if (isRunning) this.#sayStart(held, effects);
    if (hasLostChunks(held)) {
      this.#repeatImpossible(held, isRunning, nowMs, effects);
      return;
    }
    for (const [sequence, payload] of (held.keptChunks ?? []).entries()) {
      this.#sendChunk(held, sequence, payload, effects);
    }
    if (held.completion === undefined) return;
    this.#send('dispatch', { type: 'TaskCompletion', body: held.completion }, effects);
  }

  /** Too many chunks to be kept, and nobody knows which of them arrived: only another attempt can give them all. */
  #repeatImpossible(held: HeldLease, isRunning: boolean, nowMs: number, effects: Effect[]): void {
    const failure = failureOf(
      'CONNECTION_LOST',
      'The connection was lost while the task emitted more partial results than the agent keeps.',
    );
    if (isRunning) {
      this.#abort(held, { outcome: 'failed', failure }, ABORT_GRACE_MS, nowMs, effects);
      return;
    }
    if (held.completion === undefined) return;
    const { payload: _payload, resultType: _resultType, ...rest } = held.completion;
    const completion: TaskCompletion = {
      ...rest,
      outcome: 'failed',
      failure,
    };
    held.completion = completion;
    this.#send('dispatch', { type: 'TaskCompletion', body: completion }, effects);
  }

  /** Says once per connection that a task runs, before anything else is said of it. */
  #sayStart(held: HeldLease, effects: Effect[]): void {
    if (held.isStartSaid) return;
    held.isStartSaid = true;
    this.#send('dispatch', { type: 'TaskStarted', body: held.lease }, effects);
  }

  #sendChunk(held: HeldLease, sequence: number, payload: Uint8Array, effects: Effect[]): void {
    const body = { ...held.lease, sequence, payload };
    this.#send('dispatch', { type: 'ResultChunk', body }, effects);
  }

  #release(held: HeldLease, effects: Effect[]): void {
    if (held.datasetIds.length === 0) return;
    effects.push({ type: 'ReleaseDatasets', lease: held.lease });
  }

  #send(stream: StandingStream, message: Message, effects: Effect[]): void {
    if (this.isConnected) effects.push({ type: 'Send', stream, message });
  }
}

/** Reasons of others are quoted in messages, which have a bound of their own. */
function bounded(failure: Failure): Failure {
  const { message, hint } = failure;
  return {
    ...failure,
    message: message.slice(0, TEXT_LENGTH_MAX),
    ...(hint === undefined ? {} : { hint: hint.slice(0, TEXT_LENGTH_MAX) }),
  };
}
