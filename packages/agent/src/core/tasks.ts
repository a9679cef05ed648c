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
import { LeaseTable, leaseKeyOf, type Abort, type HeldLease } from './leases.ts';

/** How long a handler may take to stop by itself where nobody named a time. */
export const ABORT_GRACE_MS = 1000;

/** Errors of a stream whose connection has ended. */
const CONNECTION_LOSSES: ReadonlySet<string> = new Set([
  'CONNECTION_LOST',
  'IDLE_TIMEOUT',
  'CLOSED_LOCALLY',
]);

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

  constructor(slots: number, capabilities: readonly string[]) {
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
    const { epoch, taskId, attempt } = task;
    const lease: Lease = { epoch, taskId, attempt };
    if (this.leases.find(leaseKeyOf(lease)) !== undefined) return;
    const refusal = this.#refusalOf(task);
    if (refusal !== undefined) {
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
      effects.push({ type: 'FetchDatasets', lease, datasets: task.datasets });
    }
    this.startWaiting(nowMs, effects);
  }

  /** Starts what can start. */
  startWaiting(nowMs: number, effects: Effect[]): void {
    for (;;) {
      const next = this.leases.startNext(nowMs);
      if (next === undefined) return;
      const { held, task } = next;
      effects.push({ type: 'RunTask', task });
      this.#send('dispatch', { type: 'TaskStarted', body: held.lease }, effects);
      const { taskId, taskType, attempt } = task;
      effects.push({ type: 'Notify', event: { type: 'taskStarted', taskId, taskType, attempt } });
    }
  }

  datasetsReady(lease: Lease, nowMs: number, effects: Effect[]): void {
    const held = this.leases.waiting.get(leaseKeyOf(lease));
    if (held === undefined) return;
    held.datasets = 'ready';
    this.startWaiting(nowMs, effects);
  }

  /**
   * A fetch that failed with the connection begins again on the next one; every other failure is the task's. The
   * fetch may hear of the loss before the session does.
   */
  datasetsFailed(lease: Lease, failure: Failure, nowMs: number, effects: Effect[]): void {
    const held = this.leases.waiting.get(leaseKeyOf(lease));
    if (held === undefined) return;
    const isLost = !this.isConnected || CONNECTION_LOSSES.has(failure.type);
    if (isLost) held.datasets = 'absent';
    else this.#complete(held, { outcome: 'failed', failure }, nowMs, effects);
  }

  progress(lease: Lease, fraction: number, text: string | undefined, effects: Effect[]): void {
    const held = this.leases.running.get(leaseKeyOf(lease));
    if (held === undefined) return;
    const body = { ...held.lease, fraction, ...(text === undefined ? {} : { text }) };
    this.#send('dispatch', { type: 'TaskProgress', body }, effects);
  }

  /** A part of a result. All parts together may be as long as a result, since the coordinator keeps them all. */
  chunk(lease: Lease, payload: Uint8Array, nowMs: number, effects: Effect[]): void {
    const held = this.leases.running.get(leaseKeyOf(lease));
    if (held === undefined) return;
    if (held.emittedBytes + payload.length > this.payloadBytesMax) {
      const failure = failureOf(
        'PAYLOAD_TOO_LARGE',
        `The partial results have more than the ${this.payloadBytesMax} bytes that the coordinator takes.`,
      );
      this.#abort(held, { outcome: 'failed', failure }, ABORT_GRACE_MS, nowMs, effects);
      return;
    }
    const sequence = held.chunkCount;
    this.leases.addChunk(held, payload);
    this.#sendChunk(held, sequence, payload, effects);
  }

  /** The handler has ended. */
  finished(lease: Lease, result: TaskResult, nowMs: number, effects: Effect[]): void {
    const key = leaseKeyOf(lease);
    const abandoned = this.leases.abandoned.get(key);
    if (abandoned !== undefined) {
      this.leases.drop(abandoned);
      this.#release(abandoned, effects);
    }
    const held = this.leases.running.get(key);
    if (held !== undefined) this.#complete(held, result, nowMs, effects);
    this.startWaiting(nowMs, effects);
  }

  /** Somebody wants the task stopped. A completion that is on its way stands; an unknown lease is ignored. */
  cancel(
    { taskId, epoch, attempt, reason, graceMs }: CancelTask,
    nowMs: number,
    effects: Effect[],
  ): void {
    for (const held of [...this.leases.waiting.values(), ...this.leases.running.values()]) {
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
    for (const held of this.leases.running.values()) {
      const failure = failureOf('DRAINING', `The agent left before the task was done: ${reason}`);
      this.#abort(held, { outcome: 'failed', failure }, ABORT_GRACE_MS, nowMs, effects);
    }
  }

  /** Gives back leases that were not started: those named, or all. */
  giveBack(wanted: readonly Lease[] | 'all', reason: string, effects: Effect[]): void {
    const leases: Lease[] = [];
    for (const held of this.leases.waiting.values()) {
      if (wanted !== 'all' && !wanted.some((lease) => leaseKeyOf(lease) === held.key)) continue;
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
    const held = this.leases.finished.get(leaseKeyOf(lease));
    if (held !== undefined) this.leases.drop(held);
  }

  /** A new connection stands: keeps the leases that the coordinator still counts and repeats what it may have missed. */
  resume(resumedLeases: readonly Lease[], nowMs: number, effects: Effect[]): void {
    this.#arrivals.reset();
    const counted = new Set(resumedLeases.map(leaseKeyOf));
    const { waiting, running, finished } = this.leases;
    for (const place of [waiting, running, finished]) {
      for (const held of place.values()) {
        if (!counted.has(held.key)) this.#forsake(held, effects);
      }
    }
    for (const held of waiting.values()) {
      if (held.datasets !== 'absent') continue;
      held.datasets = 'fetching';
      effects.push({ type: 'FetchDatasets', lease: held.lease, datasets: held.task.datasets });
    }
    for (const held of [...running.values(), ...finished.values()]) {
      this.#repeat(held, nowMs, effects);
    }
    this.startWaiting(nowMs, effects);
  }

  /** Stops what is over its time. */
  tick(nowMs: number, effects: Effect[]): void {
    for (const held of this.leases.running.values()) {
      if (held.timeoutAtMs === undefined || nowMs < held.timeoutAtMs) continue;
      const failure = failureOf(
        'TASK_TIMEOUT',
        `The attempt ran longer than its startToCloseMs of ${held.task.startToCloseMs} ms.`,
      );
      this.#abort(held, { outcome: 'failed', failure }, ABORT_GRACE_MS, nowMs, effects);
    }
  }

  #refusalOf(task: AgentTask): Failure | undefined {
    const { taskId, attempt } = task;
    if (this.isDraining) return failureOf('DRAINING', 'The agent is draining.');
    // An attempt has one number. Two handlers under it could not be told apart, and the end of one would be both's.
    if (this.leases.abandoned.has(leaseKeyOf(task))) {
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
    if (this.leases.waiting.has(held.key)) {
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
  #complete(
    held: HeldLease,
    result: Abort | TaskResult | { outcome: 'failed'; failure: Failure },
    nowMs: number,
    effects: Effect[],
  ): void {
    const ending = result.outcome === 'succeeded' ? result : (held.abort ?? result);
    const completion = this.#completionOf(held, ending, nowMs, result);
    this.leases.finish(held, completion);
    this.#release(held, effects);
    this.#send('dispatch', { type: 'TaskCompletion', body: completion }, effects);
    const { outcome, failure, computeMs, waitMs, taskId, attempt } = completion;
    const { taskType } = held.task;
    const event = { taskId, taskType, attempt, outcome, computeMs, waitMs } as const;
    effects.push({
      type: 'Notify',
      event: { type: 'taskFinished', ...event, ...(failure === undefined ? {} : { failure }) },
    });
  }

  #completionOf(
    held: HeldLease,
    ending: Abort | TaskResult | { outcome: 'failed'; failure: Failure },
    nowMs: number,
    result: object,
  ): TaskCompletion {
    const { lease, task, receivedAtMs, startedAtMs, chunkCount } = held;
    const { taskType, arm } = task;
    const common = {
      ...lease,
      chunkCount,
      computeMs: 'computeMs' in result ? (result.computeMs as number) : 0,
      waitMs: Math.max(0, (startedAtMs ?? nowMs) - receivedAtMs),
      ...('usedArm' in result && result.usedArm === true && arm !== undefined ? { arm } : {}),
    };
    if (ending.outcome !== 'succeeded') {
      const failure =
        ending.failure ?? failureOf('TASK_CANCELLED', 'The handler stopped by itself.');
      return { ...common, outcome: ending.outcome, failure: bounded(failure) };
    }
    const { payload } = ending;
    if (payload !== undefined && payload.length > this.payloadBytesMax) {
      const failure = failureOf(
        'PAYLOAD_TOO_LARGE',
        `The result has ${payload.length} bytes; the coordinator takes ${this.payloadBytesMax}.`,
        { hint: 'Return less, split the task, or raise the bound of the coordinator.' },
      );
      return { ...common, outcome: 'failed', failure };
    }
    return {
      ...common,
      outcome: 'succeeded',
      ...(isBuiltInTaskType(taskType) ? { resultType: TASK_DOCUMENTS[taskType].resultType } : {}),
      ...(payload === undefined ? {} : { payload }),
    };
  }

  /** The coordinator does not count the lease any more: stop silently. */
  #forsake(held: HeldLease, effects: Effect[]): void {
    if (!this.leases.running.has(held.key)) {
      const wasWaiting = this.leases.waiting.has(held.key);
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
    const isRunning = this.leases.running.has(held.key);
    if (isRunning) this.#send('dispatch', { type: 'TaskStarted', body: held.lease }, effects);
    if (held.keptChunks === undefined) {
      this.#repeatImpossible(held, isRunning, nowMs, effects);
      return;
    }
    for (const [sequence, payload] of held.keptChunks.entries()) {
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

  #sendChunk(held: HeldLease, sequence: number, payload: Uint8Array, effects: Effect[]): void {
    const body = { ...held.lease, sequence, payload };
    this.#send('dispatch', { type: 'ResultChunk', body }, effects);
  }

  #release(held: HeldLease, effects: Effect[]): void {
    if (held.task.datasets.length === 0) return;
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
