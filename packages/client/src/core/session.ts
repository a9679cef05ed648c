/**
 * What a client knows and decides: which requests wait for an answer, which tasks are watched, and what is to be said
 * again after a connection was lost. Pure: events and the time go in, effects come out; the shell acts on them.
 *
 * Rules:
 * 1. Every request is answered or refused exactly once: by the coordinator, by its deadline, or by the end of the
 *    session.
 * 2. Every accepted task that is watched is told to have ended, or to be lost, exactly once.
 * 3. After a reconnect all requests without an answer are sent again in their order, with the same task ids, and all
 *    accepted tasks without an end are watched again.
 * 4. Nothing grows without a bound that the options name: requests by count and bytes, parts of results per task.
 */
import type { ErrorType, Failure, Message, MessageOf, WatchLevel } from '@quic-swarm/protocol';
import type { ChunkBounds } from './chunk-order.ts';
import {
  NO_EFFECTS,
  askedTaskOf,
  type AnswerMessage,
  type AskedTask,
  type RequestMessage,
  type SessionEffect,
  type SessionEvent,
} from './events.ts';
import { PendingRequests, type PendingBounds, type PendingRequest } from './pending-requests.ts';
import {
  bufferFull,
  closed,
  lost,
  mute,
  notKept,
  rejected,
  unreachable,
} from './session-failures.ts';
import { Silence } from './silence.ts';
import { WatchedTasks } from './watched-tasks.ts';

/** Submissions that timed out or were aborted and may yet be acknowledged; more than so many are not remembered. */
const ABANDONED_MAX = 1024;

/** A graceful stop for tasks that nobody waits for any more. */
const ABANDON_GRACE_MS = 1000;

/** A coordinator that is busy with a long input cannot acknowledge it: a second for each megabyte is added. */
const UPLOAD_BYTES_PER_MS = 1000;

/** Errors after which another connection would end the same way. */
const FATAL: ReadonlySet<string> = new Set<ErrorType>([
  'BAD_FRAME',
  'FRAME_TOO_LARGE',
  'BAD_MESSAGE',
  'UNEXPECTED_MESSAGE',
  'VERSION_MISMATCH',
  'BAD_CERTIFICATE',
  'BAD_ADDRESS',
  'BAD_OPTION',
]);

/** Options of a {@link Session}. */
export interface SessionOptions {
  readonly pending: PendingBounds;
  readonly chunks: ChunkBounds;
  /** Without a connection for so long, everything that waits is given up. */
  readonly giveUpAfterMs: number;
  /** The wait before a try to reconnect; `attempt` counts failed ones from 0, `random` is uniform in [0, 1). */
  readonly reconnectDelayMs: (attempt: number, random: number) => number;
}

type Phase = 'connected' | 'connecting' | 'backingOff' | 'lost' | 'closed';

/** The state of a client. Starts connected. */
export class Session {
  readonly #options: SessionOptions;
  readonly #pending: PendingRequests;
  readonly #tasks: WatchedTasks;
  readonly #silence = new Silence();
  /** Submissions whose task is to be cancelled should it turn out to be accepted. */
  readonly #abandoned = new Set<number>();
  #phase: Phase = 'connected';
  #lastRequestId = 0;
  #attempt = 0;
  #retryAtMs = Infinity;
  #giveUpAtMs = Infinity;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#pending = new PendingRequests(options.pending);
    this.#tasks = new WatchedTasks(options.chunks);
  }

  /** Requests that wait for an answer. */
  get pendingRequests(): number {
    return this.#pending.size;
  }

  /** Tasks that were submitted or attached to and about which not everything was heard. */
  get watchedTasks(): number {
    return this.#tasks.size;
  }

  /** A number for the next request, unique in this session. */
  newRequestId(): number {
    this.#lastRequestId += 1;
    return this.#lastRequestId;
  }

  /** When to send `timePassed`, undefined for never. Ask again after each `handle`. Early calls are harmless. */
  nextTimeoutMs(): number | undefined {
    const next = Math.min(
      this.#pending.nextDeadlineMs,
      this.#tasks.nextDeadlineMs,
      this.#tasks.size === 0 ? Infinity : this.#silence.dueAtMs,
      this.#retryAtMs,
      this.#giveUpAtMs,
    );
    return next === Infinity ? undefined : next;
  }

  handle(event: SessionEvent, nowMs: number): readonly SessionEffect[] {
    switch (event.type) {
      case 'requested':
        return this.#onRequested(event.message, event.timeoutMs, nowMs);
      case 'abandoned':
        return this.#onAbandoned(event.taskId, event.requestId, event.reason, nowMs);
      case 'connected':
        this.#silence.begin(nowMs);
        return this.#onConnected();
      case 'disconnected':
        return this.#onDisconnected(event.failure, event.random, nowMs);
      case 'received':
        this.#silence.begin(nowMs);
        return this.#onMessage(event.message, nowMs);
      case 'timePassed':
        return this.#onTime(nowMs);
      case 'closed':
        return this.#onClosed();
    }
  }

  #onRequested(
    message: RequestMessage,
    timeoutMs: number,
    nowMs: number,
  ): readonly SessionEffect[] {
    const { requestId } = message.body;
    const asked = askedTaskOf(message);
    const why = this.#whyNotTaken(message);
    if (why !== undefined) {
      const refused: SessionEffect = { type: 'refused', requestId, failure: why };
      // Whoever asked keeps a picture of the task by now, in which nothing would ever change.
      if (asked === undefined || this.#tasks.has(asked.taskId)) return [refused];
      return [refused, { type: 'forgotten', taskId: asked.taskId }];
    }
    if (asked !== undefined) {
      // Until the first one is acknowledged QUIC itself awaits something.
      if (this.#tasks.size === 0) this.#silence.end();
      this.#tasks.add(asked.taskId, asked.watch, asked.isNew);
    }
    return this.#admit(message, nowMs + timeoutMs + uploadMsOf(message), nowMs);
  }

  #whyNotTaken(message: RequestMessage): Failure | undefined {
    if (this.#phase === 'closed') return closed();
    return this.#pending.isFullFor(message) ? bufferFull() : undefined;
  }

  #admit(message: RequestMessage, deadlineMs: number, nowMs: number): readonly SessionEffect[] {
    const request = this.#pending.add(message, deadlineMs);
    if (this.#phase === 'connected') return [send(request)];
    if (this.#phase !== 'lost') return NO_EFFECTS;
    this.#phase = 'connecting';
    this.#attempt = 0;
    this.#giveUpAtMs = nowMs + this.#options.giveUpAfterMs;
    return [{ type: 'connect' }];
  }

  #onAbandoned(
    taskId: string,
    requestId: number,
    reason: string,
    nowMs: number,
  ): readonly SessionEffect[] {
    if (this.#phase === 'closed') return NO_EFFECTS;
    const forgotten = this.#tasks.remove(taskId);
    const request = this.#pending.take(requestId);
    if (request !== undefined) {
      if (request.wasSent) this.#abandon(requestId);
      return forgotten;
    }
    return [...forgotten, ...this.#cancel(taskId, reason, nowMs)];
  }

  #onConnected(): readonly SessionEffect[] {
    if (this.#phase === 'closed') return NO_EFFECTS;
    this.#phase = 'connected';
    this.#attempt = 0;
    this.#retryAtMs = Infinity;
    this.#giveUpAtMs = Infinity;
    const effects: SessionEffect[] = [...this.#pending.all()].map((request) => send(request));
    for (const { taskId, watch } of this.#tasks.unfinished()) {
      effects.push(this.#rewatch(taskId, watch));
    }
    return effects;
  }

  #onDisconnected(why: Failure, random: number, nowMs: number): readonly SessionEffect[] {
    if (this.#phase === 'closed' || this.#phase === 'lost') return NO_EFFECTS;
    this.#silence.end();
    if (this.#phase === 'connected') {
      this.#attempt = 0;
      this.#giveUpAtMs = nowMs + this.#options.giveUpAfterMs;
    }
    this.#pending.dropRewatches();
    const effects = this.#tasks.onConnectionLost();
    if (FATAL.has(why.type)) return [...effects, ...this.#giveUp(why)];
    this.#phase = 'backingOff';
    this.#retryAtMs = nowMs + this.#options.reconnectDelayMs(this.#attempt, random);
    this.#attempt += 1;
    return effects;
  }

  #onMessage(message: Message, nowMs: number): readonly SessionEffect[] {
    if (this.#phase === 'closed') return NO_EFFECTS;
    switch (message.type) {
      case 'TaskEvent':
        return this.#onTaskEvent(message, nowMs);
      case 'SubmitAck':
        return this.#onSubmitAck(message, nowMs);
      case 'MessageAck': {
        const { requestId, status, failure: why } = message.body;
        if (requestId === undefined) return NO_EFFECTS;
        if (status === 'REJECTED') return this.#onRefused(requestId, why ?? rejected());
        return this.#onAnswered(requestId, message);
      }
      case 'StatusReport':
      case 'DatasetAck':
      case 'ReasoningReport':
        return this.#onAnswered(message.body.requestId, message);
      case 'ErrorReport': {
        const { requestId, failure: why } = message.body;
        return requestId === undefined ? NO_EFFECTS : this.#onRefused(requestId, why);
      }
      default:
        return NO_EFFECTS;
    }
  }

  #onTaskEvent({ body }: MessageOf<'TaskEvent'>, nowMs: number): readonly SessionEffect[] {
    const effects = this.#tasks.onEvent(body, nowMs);
    if (body.durable !== true || effects.length === 0) return effects;
    // The coordinator keeps the result until it is told that it has arrived.
    const { taskId } = body;
    const receipt: Message = { type: 'MessageAck', body: { taskId, status: 'RECEIVED' } };
    return [...effects, { type: 'send', message: receipt }];
  }

  #onSubmitAck(message: MessageOf<'SubmitAck'>, nowMs: number): readonly SessionEffect[] {
    const { requestId, taskId, existing } = message.body;
    const request = this.#pending.take(requestId);
    if (request === undefined) {
      if (!this.#abandoned.delete(requestId) || existing) return NO_EFFECTS;
      return this.#cancel(taskId, 'Its submitter did not wait for it.', nowMs);
    }
    if (request.isRewatch) return NO_EFFECTS;
    const answered: SessionEffect = { type: 'answered', requestId, message };
    const asked = askedTaskOf(request.message);
    if (asked !== undefined && asked.taskId !== taskId) {
      return [...this.#redirect(asked, taskId), answered, ...this.#tasks.accept(taskId)];
    }
    const accepted = this.#tasks.accept(taskId);
    return accepted.length === 0 ? [answered] : [answered, ...accepted];
  }

  #redirect({ taskId: fromTaskId, watch }: AskedTask, toTaskId: string): readonly SessionEffect[] {
    this.#tasks.remove(fromTaskId);
    this.#tasks.add(toTaskId, watch, false);
    const redirected: SessionEffect = { type: 'redirected', fromTaskId, toTaskId };
    // The end of the earlier task may have overtaken this acknowledgement on a stream of its own, when we did not
    // know yet that it concerns us. Watching it makes the coordinator say it again.
    return watch === 'none' ? [redirected] : [redirected, this.#rewatch(toTaskId, watch)];
  }

  #onAnswered(requestId: number, message: AnswerMessage): readonly SessionEffect[] {
    const request = this.#pending.take(requestId);
    return request === undefined ? NO_EFFECTS : [{ type: 'answered', requestId, message }];
  }

  #onRefused(requestId: number, why: Failure): readonly SessionEffect[] {
    const request = this.#pending.take(requestId);
    this.#abandoned.delete(requestId);
    if (request === undefined) return NO_EFFECTS;
    if (wasDoneBefore(request, why)) {
      const body = { requestId, status: 'PROCESSED' } as const;
      return [{ type: 'answered', requestId, message: { type: 'MessageAck', body } }];
    }
    return this.#refuse(request, why);
  }

  #refuse(request: PendingRequest, why: Failure): readonly SessionEffect[] {
    const { requestId, isRewatch, message } = request;
    const taskId = askedTaskOf(message)?.taskId;
    if (isRewatch && taskId !== undefined) {
      return this.#tasks.lose(taskId, why.type === 'TASK_NOT_FOUND' ? notKept(taskId) : why);
    }
    const effects: SessionEffect[] = [{ type: 'refused', requestId, failure: why }];
    if (taskId !== undefined) effects.push(...this.#tasks.removeUnaccepted(taskId));
    return effects;
  }

  #onTime(nowMs: number): readonly SessionEffect[] {
    if (this.#phase === 'closed') return NO_EFFECTS;
    const effects = [...this.#tasks.expire(nowMs)];
    for (const request of this.#pending.expire(nowMs)) {
      const { message, requestId, wasSent } = request;
      // With an idempotency key the user can submit again and finds the same task, so it must live.
      if (message.type === 'SubmitTask' && wasSent && message.body.idempotencyKey === undefined) {
        this.#abandon(requestId);
      }
      effects.push(...this.#refuse(request, this.#phase === 'connected' ? mute() : unreachable()));
    }
    if (nowMs >= this.#silence.dueAtMs) effects.push(...this.#breakSilence(nowMs));
    if (nowMs >= this.#giveUpAtMs) return [...effects, ...this.#giveUp(lost())];
    if (nowMs >= this.#retryAtMs) {
      this.#retryAtMs = Infinity;
      this.#phase = 'connecting';
      effects.push({ type: 'connect' });
    }
    return effects;
  }

  /** Asks for a task that is awaited. Nobody waits for the answer, which is there to be heard: it is no pending request. */
  #breakSilence(nowMs: number): readonly SessionEffect[] {
    if (this.#phase !== 'connected') return NO_EFFECTS;
    const [awaited] = this.#tasks.unfinished();
    if (awaited === undefined) {
      this.#silence.begin(nowMs);
      return NO_EFFECTS;
    }
    this.#silence.end();
    const body = { requestId: this.newRequestId(), view: 'task', taskId: awaited.taskId } as const;
    return [{ type: 'send', message: { type: 'QueryStatus', body } }];
  }

  #onClosed(): readonly SessionEffect[] {
    if (this.#phase === 'closed') return NO_EFFECTS;
    const effects = this.#settleAll(closed());
    this.#phase = 'closed';
    return effects;
  }

  #giveUp(why: Failure): readonly SessionEffect[] {
    const effects = this.#settleAll(why);
    this.#phase = 'lost';
    return [...effects, { type: 'gaveUp', failure: why }];
  }

  #settleAll(why: Failure): readonly SessionEffect[] {
    this.#retryAtMs = Infinity;
    this.#giveUpAtMs = Infinity;
    this.#abandoned.clear();
    const refused = this.#pending.takeAll().flatMap((request) => this.#refuse(request, why));
    return [...refused, ...this.#tasks.loseAll(why)];
  }

  #rewatch(taskId: string, watch: WatchLevel): SessionEffect {
    const requestId = this.newRequestId();
    return send(
      this.#pending.add({ type: 'WatchTask', body: { requestId, taskId, watch } }, Infinity, true),
    );
  }

  #cancel(taskId: string, reason: string, nowMs: number): readonly SessionEffect[] {
    const body = { requestId: this.newRequestId(), taskId, reason, graceMs: ABANDON_GRACE_MS };
    // Nobody waits for the answer: it is a request only so that it survives a reconnect. The bound does not apply, or
    // raising one signal could leave tasks running; there are no more of these than there were tasks.
    return this.#admit({ type: 'CancelTask', body }, nowMs + this.#options.giveUpAfterMs, nowMs);
  }

  #abandon(requestId: number): void {
    if (this.#abandoned.size >= ABANDONED_MAX) {
      for (const oldest of this.#abandoned) {
        this.#abandoned.delete(oldest);
        break;
      }
    }
    this.#abandoned.add(requestId);
  }
}

function send(request: PendingRequest): SessionEffect {
  request.wasRepeated = request.wasSent;
  request.wasSent = true;
  return { type: 'send', message: request.message as Message };
}

function uploadMsOf({ type, body }: RequestMessage): number {
  return type === 'SubmitTask' ? (body.payload?.length ?? 0) / UPLOAD_BYTES_PER_MS : 0;
}

/**
 * The first one may have been heard, and its answer lost with the connection: then the dead letter is gone, or the outcome
 * known, as it was to be.
 */
function wasDoneBefore({ message, wasRepeated }: PendingRequest, { type }: Failure): boolean {
  if (!wasRepeated) return false;
  if (message.type === 'TaskOutcome') return type === 'OUTCOME_EXISTS';
  const isDrop = message.type === 'ControlDeadLetter' && message.body.action === 'drop';
  return isDrop && type === 'TASK_NOT_FOUND';
}
