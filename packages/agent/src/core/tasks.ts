/**
 * What happens to a task at the agent: accepted or refused, started in order of arrival, stopped when somebody asks
 * or its time is over, completed, and its completion kept until the coordinator has acknowledged it. Nothing is sent
 * while there is no connection: what must not be lost is kept in the lease and sent by `resume`.
 */
import {
  failure as failureOf,
  type AgentTask,
  type CancelTask,
  type Failure,
  type Lease,
  type Message,
  type MessageAck,
  type Tunable,
} from '@quic-swarm/protocol';
import type { Effect, StandingStream } from './effects.ts';
import type { Event, TaskResult } from './events.ts';
import { Adoptions } from './adoptions.ts';
import { ShardBounds } from './shard-bounds.ts';
import { Arrivals } from './arrivals.ts';
import { addFindings, completionOf, failedCompletionOf, type Ended } from './completion.ts';
import { Credit } from './credit.ts';
import { HoldUp } from './hold-up.ts';
import { isSameLease } from './lease-index.ts';
import { LeaseTable, hasLostChunks, type Abort, type HeldLease } from './leases.ts';
import { minimumOf } from './session.ts';
import { TaskKinds } from './task-kinds.ts';
import { withTask } from './thread-batching.ts';

/** How long a handler may take to stop by itself where nobody named a time. */
export const ABORT_GRACE_MS = 1000;

/** Errors of a stream whose connection has ended. */
const CONNECTION_LOSSES: ReadonlySet<string> = new Set([
  'CONNECTION_LOST',
  'IDLE_TIMEOUT',
  'CLOSED_LOCALLY',
]);

/** What the tasks of one agent are made of. */
export interface TasksOptions {
  readonly slots: number;
  /** How many slots can really compute at the same time. @default slots */
  readonly threads?: number;
  readonly capabilities: readonly string[];
  /** Those of them whose handler runs on the main thread. @default none */
  readonly onMainThread?: readonly string[];
  /** What can be tuned in them. @default nothing */
  readonly tunables?: readonly Tunable[];
  /** Whether anybody listens to `taskStarted` and `taskFinished`; if not, they are not made. */
  readonly isObserved: boolean;
}

/** The tasks of one agent. */
export class Tasks {
  readonly leases: LeaseTable;
  readonly credit: Credit;
  readonly bounds: ShardBounds;
  readonly adoptions: Adoptions;
  kinds: TaskKinds;
  /** Somebody has asked for tasks. */
  wantsWork = false;
  /** Nothing new is accepted. */
  isDraining = false;
  /** Messages may be sent. */
  isConnected = false;
  /** Longest result that the coordinator takes. */
  payloadBytesMax: number = Number.MAX_SAFE_INTEGER;
  readonly #arrivals = new Arrivals();
  readonly #isObserved: boolean;

  readonly #holdUp: HoldUp;
  /** The credit that the coordinator was told. */
  #toldCredit: number | undefined;

  constructor(options: TasksOptions) {
    const { slots, threads = slots, capabilities, isObserved } = options;
    const { onMainThread = [], tunables = [] } = options;
    this.#isObserved = isObserved;
    this.leases = new LeaseTable(slots);
    this.#holdUp = new HoldUp(this.leases);
    this.credit = new Credit(slots, threads);
    this.kinds = new TaskKinds(capabilities, onMainThread);
    this.adoptions = new Adoptions(tunables);
    this.bounds = new ShardBounds(this.leases, (message, effects) => {
      this.#send('dispatch', message, effects);
    });
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
    const held = this.leases.accept(task, this.kinds.of(task.taskType), nowMs);
    if (!this.kinds.has(task.taskType)) {
      this.#complete(held, { outcome: 'failed', failure: this.#unknownType(task) }, nowMs, effects);
      return;
    }
    if (held.datasets === 'fetching') {
      effects.push({ type: 'FetchDatasets', lease: held.lease, datasets: held.datasetIds });
    }
    this.startWaiting(nowMs, effects);
    this.credit.noteHeld(this.leases.live);
  }

  /** Tells the coordinator how many leases the agent takes, where it wants any. */
  grantCredit(effects: Effect[]): void {
    if (!this.wantsWork || this.isDraining || !this.isConnected) return;
    const credit = this.credit.granted;
    this.#toldCredit = credit;
    this.#send('control', { type: 'CreditGrant', body: { credit } }, effects);
  }

  /** Tells the coordinator when the agent takes more or fewer leases than it said. */
  #grantIfChanged(effects: Effect[]): void {
    if (this.#toldCredit !== undefined && this.#toldCredit !== this.credit.granted) {
      this.grantCredit(effects);
    }
  }

  /** Starts what can start. */
  startWaiting(nowMs: number, effects: Effect[]): void {
    for (;;) {
      const started = this.leases.startNext();
      const [first] = started;
      if (first === undefined) return;
      this.#holdUp.moved(nowMs);
      const tasks = started.map(({ held, task }) => {
        const { lease, kind } = held;
        held.arm = this.adoptions.armOf(task, nowMs);
        return { lease, task, arm: held.arm, serviceTime: kind.serviceTime };
      });
      const [only] = tasks;
      if (tasks.length > 1 || only === undefined) effects.push({ type: 'RunTogether', tasks });
      else effects.push({ type: 'RunTask', ...only });
    }
  }

  /** Handlers have begun and did not end at once: the coordinator should know that they run. */
  begun(leases: readonly Lease[], nowMs: number, effects: Effect[]): void {
    for (const lease of leases) {
      const held = this.leases.findIn('running', lease);
      if (held !== undefined) this.#sayStart(held, nowMs, effects);
    }
  }

  /** A handler that began with others behind it does not end soon. */
  turnedOutLong(lease: Lease, tookMs: number, nowMs: number, effects: Effect[]): void {
    const held = this.leases.find(lease);
    if (held === undefined) return;
    held.kind.serviceTime = withTask(held.kind.serviceTime, tookMs);
    this.leases.markLong(held);
    if (held.place === 'running') this.#sayStart(held, nowMs, effects);
  }

  /** What stood behind such a handler waits again, in front, and goes wherever there is room. */
  takenBack({ tasks }: Event & { type: 'TasksTakenBack' }, nowMs: number, effects: Effect[]): void {
    for (const { lease, task } of [...tasks].reverse()) {
      const held = this.leases.find(lease);
      if (held?.place === 'abandoned') {
        this.leases.drop(held);
        this.#release(held, effects);
      } else if (held?.place !== 'running') continue;
      else if (held.abort === undefined) this.leases.putBack(held, task);
      else this.#complete(held, held.abort, nowMs, effects);
    }
    if (this.isDraining) this.giveBack('all', 'the agent is draining', effects);
    else this.startWaiting(nowMs, effects);
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

  progress(
    { lease, fraction, text }: Event & { type: 'ProgressReported' },
    nowMs: number,
    effects: Effect[],
  ): void {
    const held = this.leases.findIn('running', lease);
    if (held === undefined) return;
    this.#sayStart(held, nowMs, effects);
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
    this.#sayStart(held, nowMs, effects);
    const sequence = held.chunkCount;
    this.leases.addChunk(held, payload);
    this.#sendChunk(held, sequence, payload, effects);
  }

  /** The handler has ended. */
  finished(lease: Lease, result: TaskResult, nowMs: number, effects: Effect[]): void {
    const held = this.leases.find(lease);
    if (held !== undefined) this.#learn(held, result);
    if (held?.place === 'abandoned') {
      this.leases.drop(held);
      this.#release(held, effects);
    } else if (held?.place === 'running') this.#complete(held, result, nowMs, effects);
    this.#holdUp.moved(nowMs);
    this.credit.movedOn();
    this.startWaiting(nowMs, effects);
    this.#grantIfChanged(effects);
  }

  /** What a task took tells how many of its kind go together, and how many should lie here. */
  #learn({ kind, inputBytes, datasetIds }: HeldLease, { serviceMs }: TaskResult): void {
    if (serviceMs === undefined) return;
    kind.serviceTime = withTask(kind.serviceTime, serviceMs);
    this.credit.noteTask({
      tookMs: serviceMs,
      inputBytes,
      hasDatasets: datasetIds.length > 0,
    });
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
    this.credit.tellAnew();
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

  /** When `tick` has something to do; may be too early. */
  nextTimeoutMs(): number | undefined {
    const heldUpAtMs = this.isConnected ? this.#holdUp.dueAtMs : undefined;
    return minimumOf(this.leases.nextTimeoutMs(), heldUpAtMs);
  }

  /** Stops what is over its time, and gives back quick tasks that wait behind long ones. */
  tick(nowMs: number, effects: Effect[]): void {
    this.#giveBackHeldUp(nowMs, effects);
    for (const held of this.leases.overdue(nowMs)) {
      const failure = failureOf(
        'TASK_TIMEOUT',
        `The attempt ran longer than its startToCloseMs of ${held.startToCloseMs} ms.`,
      );
      this.#abort(held, { outcome: 'failed', failure }, ABORT_GRACE_MS, nowMs, effects);
    }
  }

  /** Another agent may be idle. If none is, they come back as soon as something has ended here. */
  #giveBackHeldUp(nowMs: number, effects: Effect[]): void {
    const heldUp = this.isConnected ? this.#holdUp.heldUp(nowMs) : [];
    if (heldUp.length === 0) return;
    this.credit.heldUp();
    // Before the leases come back, so that the coordinator does not give them to this agent again.
    this.#grantIfChanged(effects);
    this.giveBack(
      heldUp.map(({ lease }) => lease),
      'held up by tasks that take long',
      effects,
    );
  }

  #refusalOf(task: AgentTask, abandoned: HeldLease | undefined): Failure | undefined {
    const { taskId, attempt } = task;
    if (this.isDraining) return failureOf('DRAINING', 'The agent is draining.');
    // An attempt has one number. Two handlers under it could not be told apart, and the end of one would be both's.
    if (abandoned !== undefined) {
      const message = `Attempt ${attempt} of task ${taskId} has not ended here since it was taken away.`;
      return failureOf('CREDIT_EXCEEDED', message);
    }
    // A lower grant may be on its way, so that what the highest one allowed is taken.
    const credit = this.credit.most;
    if (this.leases.live < credit && this.leases.canBeListed) return undefined;
    return failureOf('CREDIT_EXCEEDED', `Task ${taskId} is over the agent's credit of ${credit}.`);
  }

  #unknownType({ taskType }: AgentTask): Failure {
    const known = this.kinds.names.join(', ');
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
    const completion = completionOf(held, {
      ending,
      computeMs: result.computeMs ?? 0,
      payloadBytesMax: this.payloadBytesMax,
      nowMs,
    });
    addFindings(completion, held, result);
    if (held.place === 'running') this.#noteStart(held, effects);
    this.leases.finish(held, completion);
    this.#release(held, effects);
    this.#send('dispatch', { type: 'TaskCompletion', body: completion }, effects);
    if (!this.#isObserved) return;
    const { outcome, failure, computeMs, waitMs, taskId, attempt } = completion;
    const { taskType } = held.kind;
    const event = { taskId, taskType, attempt, outcome, computeMs, waitMs } as const;
    effects.push({
      type: 'Notify',
      event: { type: 'taskFinished', ...event, ...(failure === undefined ? {} : { failure }) },
    });
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
    if (isRunning && held.startedAtMs !== undefined) this.#sayStart(held, nowMs, effects);
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
    held.completion = failedCompletionOf(held.completion, failure);
    this.#send('dispatch', { type: 'TaskCompletion', body: held.completion }, effects);
  }

  /** Says once per connection that a task runs, before anything else is said of it. */
  #sayStart(held: HeldLease, nowMs: number, effects: Effect[]): void {
    this.leases.begin(held, nowMs);
    this.#noteStart(held, effects);
    if (held.isStartSaid) return;
    held.isStartSaid = true;
    this.#send('dispatch', { type: 'TaskStarted', body: held.lease }, effects);
    this.bounds.say(held, effects);
  }

  /** Tells observers once that a task was started, at the latest when it ends. */
  #noteStart(held: HeldLease, effects: Effect[]): void {
    if (!this.#isObserved || held.isStartNoted) return;
    held.isStartNoted = true;
    const { taskId, attempt } = held.lease;
    const { taskType } = held.kind;
    effects.push({ type: 'Notify', event: { type: 'taskStarted', taskId, taskType, attempt } });
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
