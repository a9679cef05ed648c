/**
 * Acts for a session: feeds it messages and the time, sends what it says, keeps one timer and at most one connection,
 * and settles the promises that users wait for.
 */
import {
  SwarmError,
  toFailure,
  type Failure,
  type Feature,
  type Message,
  type MessageOf,
  type CompressionMode,
} from '@quic-swarm/protocol';
import { nextDelayMs, type Address, type Transport } from '@quic-swarm/transport';
import { ChurningMap } from '../core/churning-map.ts';
import { Session } from '../core/session.ts';
import type {
  AnswerMessage,
  AnswerType,
  RequestMessage,
  SessionEffect,
  SessionEvent,
} from '../core/events.ts';
import { CoordinatorConnection } from './connection.ts';
import { TaskMirror, type UnreadBounds } from './task-mirror.ts';

/** Timers of Node count in 32 bits; a later one would fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** What the client says about its connection. */
export type ClientEvent =
  | { readonly type: 'connected'; readonly epoch: number }
  /** Being restored in the background. */
  | { readonly type: 'disconnected'; readonly error: SwarmError }
  /** Not restored in time; what waited was rejected. The next call tries again. */
  | { readonly type: 'gaveUp'; readonly error: SwarmError };

/** Who waits for the answer to a request. */
export interface Asker {
  readonly answered: (message: AnswerMessage) => void;
  readonly refused: (error: SwarmError) => void;
}

/** Options of a {@link Driver}; the defaults are those of `ClientOptions`. */
export interface DriverOptions {
  readonly transport: Transport;
  readonly address: Address;
  readonly clientName: string;
  readonly timeoutMs: number;
  readonly giveUpAfterMs: number;
  readonly compression: CompressionMode;
  readonly pending: { readonly requestsMax: number; readonly bytesMax: number };
  readonly unread: UnreadBounds;
  readonly onEvent: (event: ClientEvent) => void;
}

interface ConnectionWaiter {
  readonly resolve: (connection: CoordinatorConnection) => void;
  readonly reject: (error: SwarmError) => void;
}

/** The acting half of a client. */
export class Driver {
  readonly #options: DriverOptions;
  readonly #session: Session;
  readonly #askers = new ChurningMap<number, Asker>();
  readonly #mirrors = new ChurningMap<string, TaskMirror>();
  readonly #stop = new AbortController();
  #connection: CoordinatorConnection | undefined;
  #featuresOffered: readonly string[] = [];
  #connecting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Infinity;
  readonly #connectionWaiters: ConnectionWaiter[] = [];

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#session = new Session({
      pending: options.pending,
      chunks: options.unread,
      giveUpAfterMs: options.giveUpAfterMs,
      reconnectDelayMs: nextDelayMs,
    });
  }

  /** The connection, while there is one. */
  get connection(): CoordinatorConnection | undefined {
    return this.#connection?.isOpen === true ? this.#connection : undefined;
  }

  /** Whether the coordinator offers an optional part of the protocol; while there is no connection, whether it did. */
  offers(feature: Feature): boolean {
    return this.#featuresOffered.includes(feature);
  }

  /** Makes the first connection. Rejects with what `CoordinatorConnection.open` throws; the driver is of no use then. */
  async start(): Promise<void> {
    await this.#open();
  }

  /** A new picture of a task. */
  newMirror(taskId: string, taskType: string | undefined): TaskMirror {
    return new TaskMirror(taskId, taskType, this.#options.unread);
  }

  /** Lets a mirror hear about its task, from before the request that makes the coordinator talk about it. */
  register(mirror: TaskMirror): void {
    this.#mirrors.set(mirror.id, mirror);
  }

  /** The picture of a task that is being watched. */
  mirrorOf(taskId: string): TaskMirror | undefined {
    return this.#mirrors.get(taskId);
  }

  newRequestId(): number {
    return this.#session.newRequestId();
  }

  /** Sends a request; exactly one of the asker's functions is called, once, perhaps before this returns. */
  ask(message: RequestMessage, timeoutMs: number, asker: Asker): void {
    this.#askers.set(message.body.requestId, asker);
    this.#handle({ type: 'requested', message, timeoutMs });
  }

  /** The same as a promise of the answer's fields. */
  async request<T extends AnswerType>(
    answerType: T,
    message: RequestMessage,
    timeoutMs: number,
  ): Promise<MessageOf<T>['body']> {
    return new Promise((resolve, reject) => {
      const answered = (answer: AnswerMessage): void => {
        if (answer.type === answerType) resolve(answer.body as MessageOf<T>['body']);
        else reject(wrongAnswer(message.type, answer.type));
      };
      this.ask(message, timeoutMs, { answered, refused: reject });
    });
  }

  /** The user does not wait for a submission or its task any more. */
  abandon(taskId: string, requestId: number, reason: string): void {
    this.#askers.delete(requestId);
    this.#handle({ type: 'abandoned', taskId, requestId, reason });
  }

  /** The connection, awaited while it is being restored. Rejects with CONNECT_FAILED, CONNECTION_LOST or CLOSED. */
  async connected(timeoutMs: number): Promise<CoordinatorConnection> {
    if (this.connection !== undefined) return this.connection;
    // A question makes a session that has given up connect again, and its deadline bounds the wait.
    const body = { requestId: this.newRequestId(), view: 'summary' } as const;
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      this.#connectionWaiters.push(waiter);
      const answered = (): void => {};
      const refused = (error: SwarmError): void => {
        const at = this.#connectionWaiters.indexOf(waiter);
        if (at !== -1) this.#connectionWaiters.splice(at, 1);
        reject(error);
      };
      this.ask({ type: 'QueryStatus', body }, timeoutMs, { answered, refused });
    });
  }

  /** Rejects everything that waits with CLOSED and frees the connection. Idempotent. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.#handle({ type: 'closed' });
    this.#stop.abort();
    const error = new SwarmError('CLOSED', 'The client was closed.');
    for (const { reject } of this.#connectionWaiters.splice(0)) reject(error);
    clearTimeout(this.#timer);
    await this.#connection?.close();
    await this.#connecting;
  }

  async #open(): Promise<void> {
    const { transport, address, clientName, timeoutMs, compression } = this.#options;
    let connection: CoordinatorConnection | undefined;
    const opened = await CoordinatorConnection.open({
      transport,
      address,
      clientName,
      timeoutMs,
      compression,
      signal: this.#stop.signal,
      onMessage: (message: Message) => {
        if (this.#connection === connection) this.#handle({ type: 'received', message });
      },
    });
    if (this.#closing !== undefined) {
      await opened.close();
      return;
    }
    connection = opened;
    this.#connection = opened;
    this.#featuresOffered = opened.ack.features;
    void opened.closed.then((error) => {
      this.#onClosed(opened, error);
    });
    this.#announce({ type: 'connected', epoch: opened.ack.epoch });
    for (const { resolve } of this.#connectionWaiters.splice(0)) resolve(opened);
    this.#handle({ type: 'connected' });
  }

  #onClosed(connection: CoordinatorConnection, error: SwarmError): void {
    if (this.#connection !== connection || this.#closing !== undefined) return;
    this.#connection = undefined;
    this.#announce({ type: 'disconnected', error });
    this.#onDisconnected(error);
  }

  #onDisconnected(error: unknown): void {
    const failure = toFailure(error, 'CONNECTION_LOST');
    this.#handle({ type: 'disconnected', failure, random: Math.random() });
  }

  #reconnect(): void {
    this.#connecting = this.#open()
      .catch((error: unknown) => {
        if (this.#closing === undefined) this.#onDisconnected(error);
      })
      .finally(() => {
        this.#connecting = undefined;
      });
  }

  #handle(event: SessionEvent): void {
    for (const effect of this.#session.handle(event, performance.now())) this.#act(effect);
    this.#arm();
  }

  #act(effect: SessionEffect): void {
    switch (effect.type) {
      case 'send':
        this.#connection?.send(effect.message);
        return;
      case 'connect':
        this.#reconnect();
        return;
      case 'answered':
        this.#askerOf(effect.requestId)?.answered(effect.message);
        return;
      case 'refused':
        this.#askerOf(effect.requestId)?.refused(errorOf(effect.failure));
        return;
      case 'redirected':
        this.#redirect(effect.fromTaskId, effect.toTaskId);
        return;
      case 'taskChanged':
        this.#mirrors.get(effect.event.taskId)?.changed(effect.event);
        return;
      case 'taskLost':
        this.#mirrors.get(effect.taskId)?.lost(errorOf(effect.failure));
        return;
      case 'chunksArrived':
        this.#mirrors.get(effect.taskId)?.chunksArrived(effect.payloads);
        return;
      case 'chunksEnded': {
        const error = effect.failure === undefined ? undefined : errorOf(effect.failure);
        this.#mirrors.get(effect.taskId)?.chunksEnded(error);
        return;
      }
      case 'forgotten':
        this.#mirrors.delete(effect.taskId);
        return;
      case 'gaveUp': {
        const error = errorOf(effect.failure);
        for (const { reject } of this.#connectionWaiters.splice(0)) reject(error);
        this.#announce({ type: 'gaveUp', error });
      }
    }
  }

  #askerOf(requestId: number): Asker | undefined {
    const asker = this.#askers.get(requestId);
    this.#askers.delete(requestId);
    return asker;
  }

  /** The mirror made for a submission shows another task now; one that shows it already is kept, with its handles. */
  #redirect(fromTaskId: string, toTaskId: string): void {
    const mirror = this.#mirrors.get(fromTaskId);
    if (mirror === undefined) return;
    this.#mirrors.delete(fromTaskId);
    mirror.id = toTaskId;
    if (!this.#mirrors.has(toTaskId)) this.#mirrors.set(toTaskId, mirror);
  }

  /**
   * One timer for the session. A timer that fires early only asks again, so it is moved for earlier times alone, and one
   * that became needless runs out: the next request would make it anew. It is stopped where it could be what keeps the
   * process from ending.
   */
  #arm(): void {
    const nextMs = this.#session.nextTimeoutMs();
    if (nextMs === undefined) {
      if (this.#timerAtMs === Infinity || this.connection !== undefined) return;
      clearTimeout(this.#timer);
      this.#timerAtMs = Infinity;
      return;
    }
    if (nextMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = nextMs;
    const delayMs = Math.min(TIMER_MAX_MS, Math.max(0, Math.ceil(nextMs - performance.now())));
    this.#timer = setTimeout(() => {
      this.#timerAtMs = Infinity;
      this.#handle({ type: 'timePassed' });
    }, delayMs);
  }

  #announce(event: ClientEvent): void {
    try {
      this.#options.onEvent(event);
    } catch {
      // An observer's error is not ours to handle, and must not stop what it observes.
    }
  }
}

function errorOf(failure: Failure): SwarmError {
  const error = SwarmError.fromFailure(failure);
  if (error.type !== 'DATASET_NOT_FOUND' || error.hint !== undefined) return error;
  const hint =
    'Upload it (again) with putTable or putDataset: coordinators forget data sets when they restart or need room.';
  return SwarmError.fromFailure({ ...failure, hint });
}

function wrongAnswer(asked: string, answer: string): SwarmError {
  return new SwarmError('BAD_MESSAGE', `The coordinator answered ${asked} with ${answer}.`);
}
