/** Turns the core's effects into deeds and what happens into events; owns the clock and the only timer. */
import { performance } from 'node:perf_hooks';
import { setTimeout as later } from 'node:timers/promises';
import {
  NO_ERROR_WIRE_CODE,
  SwarmError,
  failure as failureOf,
  toFailure,
  type Failure,
  type CompressionMode,
} from '@quic-swarm/protocol';
import { formatAddress, type Address, type Transport } from '@quic-swarm/transport';
import { AgentCore, type AgentCoreOptions } from '../core/agent.ts';
import type { AgentEvent, Effect } from '../core/effects.ts';
import type { Event } from '../core/events.ts';
import { AgentConnection } from './connection.ts';
import { DatasetCache } from './dataset-cache.ts';
import type { DatasetStream } from './dataset-download.ts';
import { LoadMeter } from './load.ts';
import { WorkerPool } from './pool.ts';
import { TaskShell, type HandlerPlace } from './task-shell.ts';

/** Node fires longer timers at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** A connection that does not end in so long after it was closed is left alone. */
const CLOSE_MS_MAX = 2000;

/** What a driver is made of. */
export interface DriverOptions {
  readonly core: AgentCoreOptions;
  readonly transport: Transport;
  readonly address: Address;
  readonly threads: number;
  readonly datasetBytesMax: number;
  readonly compression: CompressionMode;
  readonly handlers: ReadonlyMap<string, HandlerPlace>;
  readonly onEvent: (event: AgentEvent) => void;
}

/** The shell around one core. */
export class Driver {
  readonly #options: DriverOptions;
  readonly #core: AgentCore;
  readonly #pool: WorkerPool;
  readonly #tasks: TaskShell;
  readonly #load = new LoadMeter();
  readonly #connecting = new AbortController();
  #connection: AgentConnection | undefined;
  /** What the core has asked for and is not done. */
  #effects: Effect[] = [];
  #isActingSoon = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs: number | undefined;
  /** Settles when the agent has ended and let go of everything; rejects with the reason it gave up for. */
  readonly stopped: Promise<void>;
  #settle: (failure: Failure | undefined) => void = () => {};

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#core = new AgentCore(options.core);
    // More threads than slots would have nothing to do.
    this.#pool = new WorkerPool(Math.min(options.threads, options.core.slots));
    const cache = new DatasetCache(options.datasetBytesMax, () => this.#openDatasetStream());
    const { handlers } = options;
    const tell = (event: Event): Promise<void> | undefined => this.tell(event);
    const tellSoon = (event: Event): void => this.#tellSoon(event);
    this.#tasks = new TaskShell({ pool: this.#pool, cache, handlers, tell, tellSoon });
    this.stopped = new Promise<void>((resolve, reject) => {
      this.#settle = (failure) => {
        if (failure === undefined) resolve();
        else reject(SwarmError.fromFailure(failure));
      };
    });
    // Whoever awaits it hears the failure; that nobody does is no crash.
    this.stopped.catch(() => {});
  }

  /** What the agent is doing, in a word. */
  get state(): AgentCore['state'] {
    return this.#core.state;
  }

  /** Starts worker threads before the first task needs them. */
  warmUp(): void {
    this.#pool.start();
  }

  /** Tells the core what happened and does what it says. Returns a promise when the network is behind. */
  tell(event: Event): Promise<void> | undefined {
    this.#core.handle(event, performance.now(), this.#effects);
    return this.#act();
  }

  /**
   * Tells the core what happened; what it says is done before this turn of the event loop is over. Many messages come
   * and many tasks end in one turn: together they take one write and one look at the timer.
   */
  #tellSoon(event: Event): void {
    this.#core.handle(event, performance.now(), this.#effects);
    if (this.#isActingSoon) return;
    this.#isActingSoon = true;
    queueMicrotask(this.#actSoon);
  }

  readonly #actSoon = (): void => {
    this.#isActingSoon = false;
    void this.#act();
  };

  #act(): Promise<void> | undefined {
    const effects = this.#effects;
    this.#effects = [];
    let behind: Promise<void> | undefined;
    for (const effect of effects) behind = this.#do(effect) ?? behind;
    behind = this.#connection?.flush() ?? behind;
    this.#arm();
    return behind;
  }

  #do(effect: Effect): Promise<void> | undefined {
    switch (effect.type) {
      case 'Connect':
        void this.#connect(effect.timeoutMs);
        return undefined;
      case 'OpenDispatchStream':
        this.#connection?.openDispatchStream();
        return undefined;
      case 'Send':
        return this.#connection?.send(effect.stream, effect.message);
      case 'SendHeartbeat': {
        const { type: _type, ...body } = effect;
        const heartbeat = { ...body, ...this.#load.read() };
        return this.#connection?.send('control', { type: 'HeartbeatMessage', body: heartbeat });
      }
      case 'CloseConnection':
        this.#close(effect.wireCode, effect.message, effect.graceMs);
        return undefined;
      case 'FetchDatasets':
        this.#tasks.fetch(effect.lease, effect.datasets);
        return undefined;
      case 'ReleaseDatasets':
        this.#tasks.release(effect.lease);
        return undefined;
      case 'RunTask':
        this.#tasks.run(effect);
        return undefined;
      case 'RunTogether':
        this.#tasks.runTogether(effect.tasks);
        return undefined;
      case 'ShareBound':
        this.#tasks.shareBound(effect.lease, effect.distance);
        return undefined;
      case 'AbortTask':
        this.#tasks.abort(effect.lease, effect.graceMs);
        return undefined;
      case 'Notify':
        this.#notify(effect.event);
        return undefined;
      case 'Stop':
        void this.#stop(effect.failure);
        return undefined;
    }
  }

  async #connect(timeoutMs: number): Promise<void> {
    const { transport, address, compression } = this.#options;
    let connection: AgentConnection | undefined;
    let endedEarly: Failure | undefined;
    try {
      connection = await AgentConnection.open({
        transport,
        address,
        timeoutMs,
        compression,
        signal: this.#connecting.signal,
        listener: {
          onMessage: (message) => {
            if (message.type === 'AgentAck' && connection !== undefined) {
              connection.agree(message.body);
            }
            this.#tellSoon({ type: 'MessageReceived', message });
          },
          onEnded: (failure) => {
            if (connection === undefined) endedEarly = failure;
            // An earlier connection may end after a later one began.
            if (connection === undefined || this.#connection !== connection) return;
            this.#connection = undefined;
            this.#ended(failure);
          },
        },
      });
    } catch (error) {
      this.#ended(this.#explain(toFailure(error, 'CONNECT_FAILED')));
      return;
    }
    if (this.#connecting.signal.aborted) {
      connection.close({ wireCode: NO_ERROR_WIRE_CODE, message: 'The agent was closed.' }, 0);
      return;
    }
    if (endedEarly !== undefined) {
      this.#ended(endedEarly);
      return;
    }
    this.#connection = connection;
    void this.tell({ type: 'ConnectionOpened' });
  }

  #ended(failure: Failure): void {
    void this.tell({ type: 'ConnectionEnded', failure, jitter: Math.random() });
  }

  /** Says what to type next, which the transport cannot know. */
  #explain(failure: Failure): Failure {
    if (failure.type !== 'CONNECT_FAILED') return failure;
    const hint = `Is a coordinator running there? Start one with: coordinator ${formatAddress(this.#options.address)}`;
    return { ...failure, hint };
  }

  #close(wireCode: number, message: string, graceMs: number): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    connection.close({ wireCode, message }, graceMs);
    const patience = later(graceMs + CLOSE_MS_MAX, undefined, { ref: false });
    void patience.then(() => {
      if (this.#connection !== connection) return;
      this.#connection = undefined;
      this.#ended(failureOf('CONNECTION_LOST', message));
    });
  }

  #openDatasetStream(): Promise<DatasetStream> {
    if (this.#connection === undefined) {
      const message = 'There is no connection to fetch the data set on.';
      return Promise.reject(new SwarmError('CONNECTION_LOST', message));
    }
    return this.#connection.openDatasetStream();
  }

  #notify(event: AgentEvent): void {
    try {
      this.#options.onEvent(event);
    } catch (error) {
      // An observer's mistake must not change what the agent does, and must not vanish either.
      setImmediate(() => {
        throw error;
      });
    }
  }

  async #stop(failure: Failure | undefined): Promise<void> {
    clearTimeout(this.#timer);
    this.#connecting.abort();
    this.#load.stop();
    this.#tasks.abortAll();
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close({ wireCode: NO_ERROR_WIRE_CODE, message: 'The agent has stopped.' }, 0);
    await this.#pool.close();
    this.#settle(failure);
  }

  #arm(): void {
    const atMs = this.#core.nextTimeoutMs();
    // A timer that fires too early does no harm; one that is set anew with every task costs more than the tasks.
    if (atMs === undefined || atMs >= (this.#timerAtMs ?? Infinity)) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    const delayMs = Math.min(TIMER_MS_MAX, Math.max(0, Math.ceil(atMs - performance.now())));
    this.#timer = setTimeout(() => {
      this.#timerAtMs = undefined;
      void this.tell({ type: 'TimeoutReached' });
    }, delayMs);
  }
}
