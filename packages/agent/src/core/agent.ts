/**
 * The agent's decisions, pure: events in, effects out, time as a number. It knows neither streams nor threads nor
 * clocks. `nextTimeoutMs()` says when to come back with TimeoutReached; ask it when all that happened has been told.
 *
 * It is made of two state machines that share nothing but this file: the session (is there a connection, and what
 * next) and the tasks (what is held, computed, owed).
 */
import {
  ERRORS,
  failure as failureOf,
  type AdaptationSuggestion,
  type AgentAck,
  type Failure,
  type Message,
} from '@quic-swarm/protocol';
import type { Effect } from './effects.ts';
import type { Event } from './events.ts';
import { Session, minimumOf, type SessionOptions, type SessionState } from './session.ts';
import { TaskKinds } from './task-kinds.ts';
import { ABORT_GRACE_MS, Tasks, type TasksOptions } from './tasks.ts';

/** What a core is made of. */
export interface AgentCoreOptions extends SessionOptions, TasksOptions {}

/** After the deadline of a drain and the grace of its tasks, acknowledgements may take so long. */
const LAST_ACKS_MS = 3000;

/** A reason is a sentence. */
const REASON_LENGTH_MAX = 1000;

interface Drain {
  readonly deadlineAtMs: number;
  readonly reason: string;
  isAborting: boolean;
}

/** The pure core of an agent. */
export class AgentCore {
  readonly session: Session;
  readonly tasks: Tasks;
  #drain: Drain | undefined;
  #hasStopped = false;

  constructor(options: AgentCoreOptions) {
    this.session = new Session(options);
    this.tasks = new Tasks(options);
  }

  /** What the agent is doing, in a word. */
  get state(): SessionState | 'draining' {
    if (this.session.state === 'stopped') return 'stopped';
    return this.#drain === undefined ? this.session.state : 'draining';
  }

  /**
   * Takes note of one event and says what to do about it: appends that to `effects`, so that those of many events may
   * share a list. `nowMs` never goes back.
   */
  handle(event: Event, nowMs: number, effects: Effect[] = []): Effect[] {
    if (this.#hasStopped) return effects;
    this.#dispatch(event, nowMs, effects);
    this.#leaveWhenDrained(effects);
    this.tasks.isConnected = this.session.isConnected;
    this.session.noteLeases(!this.tasks.isIdle, nowMs);
    return effects;
  }

  /** When to call with TimeoutReached, on the clock of `nowMs`; undefined: not before another event. May be too early. */
  nextTimeoutMs(): number | undefined {
    if (this.#hasStopped) return undefined;
    return minimumOf(
      this.session.nextTimeoutMs(),
      this.tasks.nextTimeoutMs(),
      this.#drainTimeoutMs(),
    );
  }

  #dispatch(event: Event, nowMs: number, effects: Effect[]): void {
    switch (event.type) {
      case 'Started':
        this.session.start(nowMs, effects);
        return;
      case 'ConnectionOpened': {
        const { kinds, leases } = this.tasks;
        this.session.opened(kinds.names, leases.held(), nowMs, effects);
        return;
      }
      case 'ConnectionEnded':
        this.#connectionEnded(event.failure, event.jitter, nowMs, effects);
        return;
      case 'MessageReceived':
        this.session.heard(nowMs);
        this.#receive(event.message, nowMs, effects);
        return;
      case 'WorkRequested':
        this.tasks.wantsWork = true;
        this.tasks.grantCredit(effects);
        return;
      case 'CapabilitiesChanged':
        this.#changeCapabilities(event, effects);
        return;
      case 'DatasetsReady':
        this.tasks.datasetsReady(event.lease, nowMs, effects);
        return;
      case 'DatasetsFailed':
        this.tasks.datasetsFailed(event.lease, event.failure, nowMs, effects);
        return;
      case 'TasksBegun':
        this.tasks.begun(event.leases, nowMs, effects);
        return;
      case 'TaskTurnedOutLong':
        this.tasks.turnedOutLong(event.lease, event.tookMs, nowMs, effects);
        return;
      case 'TasksTakenBack':
        this.tasks.takenBack(event, nowMs, effects);
        return;
      case 'ProgressReported':
        this.tasks.progress(event, nowMs, effects);
        return;
      case 'BoundProved':
        this.tasks.bounds.proved(event.lease, event.distance, effects);
        return;
      case 'ChunkEmitted':
        this.tasks.chunk(event.lease, event.payload, nowMs, effects);
        return;
      case 'TaskFinished':
        this.tasks.finished(event.lease, event.result, nowMs, effects);
        return;
      case 'DrainRequested':
        this.#startDrain(event.deadlineMs, quoted(event.reason), nowMs, effects);
        return;
      case 'CloseRequested':
        this.tasks.giveBack('all', event.reason, effects);
        if (this.session.leave(event.reason, effects)) this.#stop(undefined, effects);
        return;
      case 'TimeoutReached':
        this.#tick(nowMs, effects);
        return;
    }
  }

  #receive(message: Message, nowMs: number, effects: Effect[]): void {
    const { type, body } = message;
    if (type === 'AgentAck') {
      this.#joined(body, nowMs, effects);
      return;
    }
    if (type === 'ErrorReport') {
      if (body.requestId === undefined) this.session.reported(body.failure, effects);
      return;
    }
    // The coordinator will close; that says all.
    if (type === 'Goodbye') return;
    if (!this.session.isConnected) {
      if (this.session.state === 'joining') this.#refuse(message, effects);
      return;
    }
    switch (type) {
      case 'AgentTask':
        this.tasks.accept(body, nowMs, effects);
        return;
      case 'CancelTask':
        this.tasks.cancel(body, nowMs, effects);
        return;
      case 'LeaseRecall':
        this.tasks.giveBack(body.leases, 'recalled by the coordinator', effects);
        return;
      case 'ShardBound':
        this.tasks.bounds.heard(body, effects);
        return;
      case 'MessageAck':
        this.tasks.acknowledged(body);
        return;
      case 'HeartbeatAck':
        this.session.heartbeatAcknowledged();
        return;
      case 'Drain':
        this.#startDrain(body.deadlineMs, quoted(body.reason), nowMs, effects);
        return;
      case 'AdaptationSuggestion':
        this.#consider(body, nowMs, effects);
        return;
      // A verdict is for the learner's own agents; this one has nothing to change by it.
      case 'Verdict':
        return;
      default:
        this.#refuse(message, effects);
    }
  }

  #joined(ack: AgentAck, nowMs: number, effects: Effect[]): void {
    const roundTripMs = this.session.accepted(ack, nowMs);
    if (roundTripMs === undefined) {
      this.#refuse({ type: 'AgentAck', body: ack }, effects);
      return;
    }
    this.tasks.isConnected = true;
    this.tasks.payloadBytesMax = ack.grants.payloadBytesMax;
    this.tasks.bounds.areShared = ack.features.includes('bounds');
    effects.push({ type: 'OpenDispatchStream' });
    effects.push({
      type: 'Notify',
      event: {
        type: 'connected',
        epoch: ack.epoch,
        roundTripMs,
        resumedLeases: ack.resumedLeases.length,
      },
    });
    this.tasks.adoptions.joined(ack.epoch);
    // Before there is credit, so that the coordinator knows what to choose from at the first task.
    if (this.tasks.adoptions.tunables.length > 0) this.#offerTunables(effects);
    this.tasks.resume(ack.resumedLeases, nowMs, effects);
    if (this.#drain === undefined) this.tasks.grantCredit(effects);
    else this.#announceDrain(this.#drain, nowMs, effects);
  }

  #refuse({ type }: Message, effects: Effect[]): void {
    const failure = failureOf('UNEXPECTED_MESSAGE', `${type} came at a time when it has no place.`);
    if (this.session.state !== 'joining' && !this.session.isConnected) return;
    const message: Message = { type: 'ErrorReport', body: { failure } };
    effects.push({ type: 'Send', stream: 'control', message });
    const { wireCode } = ERRORS.UNEXPECTED_MESSAGE;
    this.session.close(failure, wireCode, failure.message, effects);
  }

  #connectionEnded(failure: Failure, jitter: number, nowMs: number, effects: Effect[]): void {
    const ended = this.session.ended(failure, jitter, nowMs, effects);
    if (ended?.ending === 'stopped') this.#stop(ended.failure, effects);
  }

  #changeCapabilities(
    { capabilities, onMainThread = [], tunables = [] }: Event & { type: 'CapabilitiesChanged' },
    effects: Effect[],
  ): void {
    // Of handlers that were replaced nothing is known; of the others it is soon known again.
    this.tasks.kinds = new TaskKinds(capabilities, onMainThread);
    const isTunedOtherwise = this.tasks.adoptions.declare(tunables);
    if (!this.session.isConnected) return;
    const body = { capabilities: [...capabilities] };
    effects.push({ type: 'Send', stream: 'control', message: { type: 'CapabilityUpdate', body } });
    if (isTunedOtherwise) this.#offerTunables(effects);
  }

  /** Tells a coordinator that learns what it can choose. */
  #offerTunables(effects: Effect[]): void {
    if (this.session.ack?.features.includes('learning') !== true) return;
    const body = { tunables: this.tasks.adoptions.tunables };
    effects.push({ type: 'Send', stream: 'control', message: { type: 'TunableOffer', body } });
  }

  #consider(suggestion: AdaptationSuggestion, nowMs: number, effects: Effect[]): void {
    const { suggestionId, taskType, from, to, canaryPercent } = suggestion;
    const reason = this.tasks.adoptions.take(suggestion, nowMs);
    const accepted = reason === undefined;
    const body = { suggestionId, accepted, ...(accepted ? {} : { reason }) };
    effects.push({ type: 'Send', stream: 'control', message: { type: 'AdaptationAck', body } });
    if (!accepted) return;
    const event = { type: 'adapted', suggestionId, taskType, from, to, canaryPercent } as const;
    effects.push({ type: 'Notify', event });
  }

  #startDrain(deadlineMs: number, reason: string, nowMs: number, effects: Effect[]): void {
    const deadlineAtMs = nowMs + deadlineMs;
    if (this.#drain !== undefined) {
      // A second request can only make it shorter.
      if (deadlineAtMs >= this.#drain.deadlineAtMs) return;
      this.#drain = { deadlineAtMs, reason, isAborting: this.#drain.isAborting };
      return;
    }
    this.#drain = { deadlineAtMs, reason, isAborting: false };
    this.tasks.isDraining = true;
    effects.push({ type: 'Notify', event: { type: 'draining', reason } });
    if (this.session.isConnected) this.#announceDrain(this.#drain, nowMs, effects);
    this.tasks.giveBack('all', `draining: ${reason}`, effects);
  }

  #announceDrain({ deadlineAtMs, reason }: Drain, nowMs: number, effects: Effect[]): void {
    const body = { deadlineMs: Math.max(0, deadlineAtMs - nowMs), reason };
    effects.push({ type: 'Send', stream: 'control', message: { type: 'Drain', body } });
  }

  /** An agent that drains leaves with the last acknowledgement, or when its time is over in any case. */
  #leaveWhenDrained(effects: Effect[]): void {
    if (this.#drain === undefined || this.#hasStopped || !this.tasks.isIdle) return;
    if (this.session.state === 'closing') return;
    effects.push({ type: 'Notify', event: { type: 'drained' } });
    if (this.session.leave(this.#drain.reason, effects)) this.#stop(undefined, effects);
  }

  #tick(nowMs: number, effects: Effect[]): void {
    this.tasks.tick(nowMs, effects);
    const sequence = this.session.tick(nowMs, effects);
    if (sequence !== undefined) {
      const { leases, lastDispatchSequence } = this.tasks;
      effects.push({
        type: 'SendHeartbeat',
        sequence,
        leases: leases.held(),
        lastDispatchSequence,
        // What stands behind another in its slot waits; what was taken away and has not ended still has its slot.
        running: leases.slotsInUse,
        waiting: Math.max(0, leases.live - leases.slotsInUse),
      });
    }
    if (this.#drain === undefined || nowMs < this.#drain.deadlineAtMs) return;
    if (!this.#drain.isAborting) {
      this.#drain.isAborting = true;
      this.tasks.abortRunning(this.#drain.reason, nowMs, effects);
    }
    if (nowMs < this.#drain.deadlineAtMs + ABORT_GRACE_MS + LAST_ACKS_MS) return;
    if (this.session.leave(this.#drain.reason, effects)) this.#stop(undefined, effects);
  }

  #drainTimeoutMs(): number | undefined {
    if (this.#drain === undefined || this.session.state === 'closing') return undefined;
    const { deadlineAtMs, isAborting } = this.#drain;
    return isAborting ? deadlineAtMs + ABORT_GRACE_MS + LAST_ACKS_MS : deadlineAtMs;
  }

  #stop(failure: Failure | undefined, effects: Effect[]): void {
    this.#hasStopped = true;
    effects.push({ type: 'Stop', failure });
  }
}

/** A reason that can be repeated inside other messages, which have bounds of their own. */
function quoted(reason: string): string {
  return reason.slice(0, REASON_LENGTH_MAX);
}
