/**
 * The agent's side of its connection: joining, heartbeats, silence, reconnecting, leaving.
 *
 *                 Started              ConnectionOpened         AgentAck
 *   idle ───────────────▶ connecting ─────────────────▶ joining ─────────▶ connected
 *                           ▲    │ ConnectionEnded         │                  │
 *                 timeout   │    ▼                         │ ConnectionEnded  │
 *                         backingOff ◀─────────────────────┴──────────────────┤
 *                                                                             │ silence, refusal, goodbye
 *   stopped ◀──── (nothing left to do, or gave up) ──── closing ◀─────────────┘
 *
 * `draining` is not a state of this machine: an agent can lose its connection while it drains, and comes back to
 * deliver what it has.
 */
import {
  NO_ERROR_WIRE_CODE,
  PROTOCOL_MAX,
  PROTOCOL_MIN,
  failure as failureOf,
  type AgentAck,
  type AgentHandshake,
  type AgentType,
  type Failure,
  type Labels,
  type Lease,
} from '@quic-swarm/protocol';
import type { Effect } from './effects.ts';
import { HELD_LEASES_MAX } from './leases.ts';
import { attemptTimeoutMs, pauseAfterMs } from './return-attempts.ts';

/** Where the connection is. */
export type SessionState =
  | 'idle'
  | 'connecting'
  | 'joining'
  | 'connected'
  | 'closing'
  | 'backingOff'
  | 'stopped';

/** Which state may follow which; a test walks it, `#move` asserts it. */
export const SESSION_TRANSITIONS: Readonly<Record<SessionState, readonly SessionState[]>> = {
  idle: ['connecting', 'stopped'],
  connecting: ['joining', 'backingOff', 'stopped'],
  joining: ['connected', 'closing', 'backingOff', 'stopped'],
  connected: ['closing', 'backingOff', 'stopped'],
  closing: ['backingOff', 'stopped'],
  backingOff: ['connecting', 'stopped'],
  stopped: [],
};

/** Who the agent is and how patient it is. */
export interface SessionOptions {
  readonly agentId: string;
  readonly agentType: AgentType;
  readonly slots: number;
  readonly labels: Labels;
  readonly resources: Readonly<Record<string, number>>;
  readonly software: string;
  /** For the first connection in all; of the attempts to come back, the first ones have less (return-attempts.ts). */
  readonly connectTimeoutMs: number;
  /** How long to try to come back; undefined: for ever. */
  readonly giveUpAfterMs: number | undefined;
  /** The pause before the next attempt, after so many failures (from 0) and with a random number in [0, 1). Pure. */
  readonly backoffMs: (failures: number, jitter: number) => number;
}

/** A farewell is flushed for at most so long. */
const CLOSE_GRACE_MS = 1000;

/** Failures that no reconnect can cure: somebody has to change something first. */
const FATAL_TYPES: ReadonlySet<string> = new Set([
  'VERSION_MISMATCH',
  'BAD_CERTIFICATE',
  'DUPLICATE_AGENT',
  'BAD_ADDRESS',
  'BAD_OPTION',
]);

/** What a connection that ended means for the rest of the agent. */
export type Ending = 'stopped' | 'retrying';

/** The connection's state machine. Appends what is to be done to the effects it is given. */
export class Session {
  readonly #options: SessionOptions;
  #state: SessionState = 'idle';
  /** Set by the first AgentAck; survives the connection. */
  #token: string | undefined;
  #epoch: number | undefined;
  #ack: AgentAck | undefined;
  #startedAtMs = 0;
  #handshakeSentAtMs = 0;
  /** When the present attempt to connect began. */
  #attemptAtMs = 0;
  /** From the last handshake to its answer. */
  #roundTripMs = 0;
  #retryAtMs: number | undefined;
  #joinTimeoutAtMs: number | undefined;
  /** When the last heartbeat was sent; undefined: none is to be sent. */
  #heartbeatSentAtMs: number | undefined;
  #heartbeatSequence = 0;
  /** Since when the agent holds leases without a break; undefined: it holds none. */
  #busySinceMs: number | undefined;
  #lastHeardMs = 0;
  #lastTickMs = 0;
  #failedAttempts = 0;
  #disconnectedAtMs: number | undefined;
  /** What made this side close, or what the peer said before it closed: tells more than the end of the connection. */
  #closeFailure: Failure | undefined;
  #stopsAfterClose = false;
  /** The id was in use and the time that the coordinator named was waited for, once: its holder may have been a shadow. */
  #hasAwaitedHolder = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** True when messages may be sent. */
  get isConnected(): boolean {
    return this.#state === 'connected';
  }

  /** The epoch of the coordinator that was joined last. */
  get epoch(): number | undefined {
    return this.#epoch;
  }

  /** What the coordinator granted last; undefined before the first AgentAck. */
  get ack(): AgentAck | undefined {
    return this.#ack;
  }

  start(nowMs: number, effects: Effect[]): void {
    if (this.#state !== 'idle') return;
    this.#startedAtMs = nowMs;
    this.#connect(nowMs, effects);
  }

  /** The connection stands: introduces the agent. */
  opened(
    capabilities: readonly string[],
    heldLeases: Lease[],
    nowMs: number,
    effects: Effect[],
  ): void {
    if (this.#state !== 'connecting') return;
    this.#move('joining');
    this.#handshakeSentAtMs = nowMs;
    const { agentId, agentType, slots, labels, resources, software } = this.#options;
    const body: AgentHandshake = {
      protocolMin: PROTOCOL_MIN,
      protocolMax: PROTOCOL_MAX,
      agentId,
      agentType,
      slots,
      capabilities: [...capabilities],
      labels,
      resources: { ...resources },
      // More would not fit into the frame that a coordinator takes from a stranger; the rest is computed anew.
      heldLeases: heldLeases.slice(0, HELD_LEASES_MAX),
      software,
      ...(this.#token === undefined ? {} : { sessionToken: this.#token }),
    };
    effects.push({ type: 'Send', stream: 'control', message: { type: 'AgentHandshake', body } });
  }

  /** The coordinator accepted the agent. Returns the round trip; undefined when the message has no place here. */
  accepted(ack: AgentAck, nowMs: number): number | undefined {
    if (this.#state !== 'joining') return undefined;
    this.#move('connected');
    this.#ack = ack;
    this.#token = ack.sessionToken;
    this.#epoch = ack.epoch;
    this.#disconnectedAtMs = undefined;
    this.#joinTimeoutAtMs = undefined;
    this.#lastHeardMs = nowMs;
    this.#lastTickMs = nowMs;
    this.#heartbeatSentAtMs = nowMs;
    this.#roundTripMs = nowMs - this.#handshakeSentAtMs;
    return this.#roundTripMs;
  }

  /** Any message of the coordinator is a sign of life. */
  heard(nowMs: number): void {
    this.#lastHeardMs = nowMs;
  }

  /** Whether the agent holds leases: while it holds none it says less often that it is there. Call after every event. */
  noteLeases(hasLeases: boolean, nowMs: number): void {
    if (!hasLeases) this.#busySinceMs = undefined;
    else this.#busySinceMs ??= nowMs;
  }

  /** A heartbeat came back: the connection works, so that the next loss is a new one. */
  heartbeatAcknowledged(): void {
    this.#failedAttempts = 0;
  }

  /** The peer says why it will close, or refuses the agent. */
  reported(failure: Failure, effects: Effect[]): void {
    this.close(failure, NO_ERROR_WIRE_CODE, failure.message, effects);
  }

  /** Ends the connection because of `failure`; the agent comes back. */
  close(failure: Failure, wireCode: number, message: string, effects: Effect[]): void {
    if (this.#state !== 'joining' && this.#state !== 'connected') return;
    this.#closeFailure = failure;
    this.#move('closing');
    this.#disarm();
    effects.push({ type: 'CloseConnection', wireCode, message, graceMs: 0 });
  }

  /** Says goodbye and does not come back. Returns true when there is no connection to end, so that it is over now. */
  leave(reason: string, effects: Effect[]): boolean {
    this.#stopsAfterClose = true;
    if (this.#state === 'connected') {
      effects.push({
        type: 'Send',
        stream: 'control',
        message: { type: 'Goodbye', body: { reason } },
      });
    }
    if (this.#state === 'connected' || this.#state === 'joining') {
      this.#move('closing');
      this.#disarm();
      effects.push({
        type: 'CloseConnection',
        wireCode: NO_ERROR_WIRE_CODE,
        message: reason,
        graceMs: CLOSE_GRACE_MS,
      });
      return false;
    }
    // While connecting or closing, the shell owes a ConnectionEnded, but nobody needs to wait for it.
    if (this.#state !== 'stopped') this.#move('stopped');
    this.#disarm();
    return true;
  }

  /** The connection has ended or did not come about. Decides whether and when to come back. */
  ended(
    failure: Failure,
    jitter: number,
    nowMs: number,
    effects: Effect[],
  ): { ending: Ending; failure: Failure | undefined } | undefined {
    if (this.#state === 'stopped' || this.#state === 'idle' || this.#state === 'backingOff') {
      return undefined;
    }
    const reason = this.#closeFailure ?? failure;
    this.#closeFailure = undefined;
    this.#disarm();
    if (this.#stopsAfterClose) {
      this.#move('stopped');
      return { ending: 'stopped', failure: undefined };
    }
    this.#disconnectedAtMs ??= nowMs;
    // A token that is not known any more would be refused for ever; without it the agent joins as a new one.
    if (reason.type === 'SESSION_UNKNOWN') this.#token = undefined;
    const awaitsHolder = this.#awaitsHolder(reason);
    const delayMs = awaitsHolder
      ? (reason.retryAfterMs ?? 0)
      : pauseAfterMs(
          this.#options.backoffMs(this.#failedAttempts, jitter),
          this.#state === 'connecting' ? nowMs - this.#attemptAtMs : 0,
        );
    if (!awaitsHolder && this.#givesUp(reason, nowMs + delayMs)) {
      this.#move('stopped');
      effects.push({
        type: 'Notify',
        event: { type: 'disconnected', reason, willRetryInMs: undefined },
      });
      return { ending: 'stopped', failure: this.#finalFailure(reason) };
    }
    this.#failedAttempts += 1;
    this.#move('backingOff');
    this.#retryAtMs = nowMs + delayMs;
    if (this.#token !== undefined || this.#ack !== undefined) {
      effects.push({
        type: 'Notify',
        event: { type: 'disconnected', reason, willRetryInMs: delayMs },
      });
    }
    return { ending: 'retrying', failure: reason };
  }

  /** Does what is due; spurious calls are harmless. Returns the sequence of the heartbeat that is due, if one is. */
  tick(nowMs: number, effects: Effect[]): number | undefined {
    if (this.#retryAtMs !== undefined && nowMs >= this.#retryAtMs) this.#connect(nowMs, effects);
    if (this.#joinTimeoutAtMs !== undefined && nowMs >= this.#joinTimeoutAtMs) {
      this.#joinTimedOut(effects);
    }
    const heartbeatAtMs = this.#heartbeatAtMs();
    if (heartbeatAtMs === undefined || nowMs < heartbeatAtMs) return undefined;
    return this.#heartbeatDue(nowMs, effects);
  }

  /** When `tick` has something to do, on the clock of `nowMs`; undefined: never, as it stands. */
  nextTimeoutMs(): number | undefined {
    return minimumOf(this.#retryAtMs, this.#joinTimeoutAtMs, this.#heartbeatAtMs());
  }

  #connect(nowMs: number, effects: Effect[]): void {
    this.#move('connecting');
    this.#retryAtMs = undefined;
    this.#attemptAtMs = nowMs;
    const { connectTimeoutMs } = this.#options;
    const isFirst = this.#ack === undefined;
    const leftMs = isFirst ? this.#startedAtMs + connectTimeoutMs - nowMs : connectTimeoutMs;
    const joinTimeoutMs = Math.max(1, leftMs);
    this.#joinTimeoutAtMs = nowMs + joinTimeoutMs;
    // The loss of the connection counts as the first failure.
    const failedAttempts = this.#failedAttempts - 1;
    const timeoutMs = isFirst
      ? joinTimeoutMs
      : attemptTimeoutMs(failedAttempts, this.#roundTripMs, connectTimeoutMs);
    effects.push({ type: 'Connect', timeoutMs });
  }

  #joinTimedOut(effects: Effect[]): void {
    this.#joinTimeoutAtMs = undefined;
    // While connecting, the shell has a timeout and reports the end itself.
    if (this.#state !== 'joining') return;
    const failure = failureOf(
      'CONNECT_FAILED',
      `The coordinator did not answer the handshake within ${this.#options.connectTimeoutMs} ms.`,
    );
    this.close(failure, NO_ERROR_WIRE_CODE, failure.message, effects);
  }

  #heartbeatDue(nowMs: number, effects: Effect[]): number | undefined {
    const { intervalMs, timeoutMs } = this.#patience();
    // A process that was stopped or whose loop was blocked hears nothing in that time: the answers lie in the socket.
    if (nowMs - this.#lastTickMs > 2 * intervalMs) {
      this.#lastHeardMs = Math.max(this.#lastHeardMs, nowMs - timeoutMs + intervalMs);
    }
    this.#lastTickMs = nowMs;
    // An agent that was idle asks first: the coordinator had no occasion to say anything.
    const silentSinceMs = Math.max(this.#lastHeardMs, this.#busySinceMs ?? 0);
    if (nowMs - silentSinceMs >= timeoutMs) {
      const message = `Nothing was heard from the coordinator for ${timeoutMs} ms.`;
      this.close(failureOf('CONNECTION_LOST', message), NO_ERROR_WIRE_CODE, message, effects);
      return undefined;
    }
    this.#heartbeatSentAtMs = nowMs;
    this.#heartbeatSequence += 1;
    return this.#heartbeatSequence;
  }

  /** When the next heartbeat is due; undefined: none is. */
  #heartbeatAtMs(): number | undefined {
    if (this.#heartbeatSentAtMs === undefined) return undefined;
    const { heartbeatIntervalMs = 0, idleHeartbeatIntervalMs = heartbeatIntervalMs } =
      this.#ack ?? {};
    const idleAtMs = this.#heartbeatSentAtMs + idleHeartbeatIntervalMs;
    if (this.#busySinceMs === undefined) return idleAtMs;
    // Tasks that come now and then and are done at once need no heartbeat: their ends are signs of life.
    const beginMs = Math.max(this.#heartbeatSentAtMs, this.#busySinceMs);
    return Math.min(idleAtMs, beginMs + heartbeatIntervalMs);
  }

  /** How often to say that this side is there, and how long to hear nothing from the other. */
  #patience(): { readonly intervalMs: number; readonly timeoutMs: number } {
    const { heartbeatIntervalMs = 0, heartbeatTimeoutMs = 0 } = this.#ack ?? {};
    if (this.#busySinceMs !== undefined) {
      return { intervalMs: heartbeatIntervalMs, timeoutMs: heartbeatTimeoutMs };
    }
    return {
      intervalMs: this.#ack?.idleHeartbeatIntervalMs ?? heartbeatIntervalMs,
      timeoutMs: this.#ack?.idleHeartbeatTimeoutMs ?? heartbeatTimeoutMs,
    };
  }

  /**
   * Whether to wait until a silent holder of this agent's id is given up. An agent that was killed and started again
   * meets its former self, which the coordinator believes to be alive for a moment.
   */
  #awaitsHolder({ type, retryAfterMs }: Failure): boolean {
    const awaits =
      type === 'DUPLICATE_AGENT' && retryAfterMs !== undefined && !this.#hasAwaitedHolder;
    if (awaits) {
      this.#hasAwaitedHolder = true;
      // The attempts that follow have their whole time.
      this.#startedAtMs += retryAfterMs;
    }
    return awaits;
  }

  #givesUp(reason: Failure, retryAtMs: number): boolean {
    if (FATAL_TYPES.has(reason.type)) return true;
    const { connectTimeoutMs, giveUpAfterMs } = this.#options;
    if (this.#ack === undefined) {
      return !reason.retryable || retryAtMs >= this.#startedAtMs + connectTimeoutMs;
    }
    if (giveUpAfterMs === undefined || this.#disconnectedAtMs === undefined) return false;
    return retryAtMs >= this.#disconnectedAtMs + giveUpAfterMs;
  }

  /** Before the first AgentAck, whatever could be tried again became one thing: no coordinator was reached in time. */
  #finalFailure(reason: Failure): Failure {
    if (this.#ack !== undefined || !reason.retryable || reason.type === 'CONNECT_FAILED') {
      return reason;
    }
    const message = `No coordinator accepted the agent: ${reason.message}`;
    const { hint } = reason;
    return failureOf('CONNECT_FAILED', message, hint === undefined ? {} : { hint });
  }

  #disarm(): void {
    this.#retryAtMs = undefined;
    this.#joinTimeoutAtMs = undefined;
    this.#heartbeatSentAtMs = undefined;
  }

  #move(state: SessionState): void {
    if (!SESSION_TRANSITIONS[this.#state].includes(state)) {
      throw new Error(`A session cannot go from ${this.#state} to ${state}.`);
    }
    this.#state = state;
  }
}

/** The least of those that are defined. */
export function minimumOf(...times: readonly (number | undefined)[]): number | undefined {
  let least: number | undefined;
  for (const time of times) {
    if (time !== undefined && (least === undefined || time < least)) least = time;
  }
  return least;
}
