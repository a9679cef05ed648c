/** An agent in a simulation: its real core, and a shell that talks to the simulated network, threads and data sets. */
import { AgentCore, type Effect, type Event } from '@quic-swarm/agent';
import {
  ERRORS,
  failure as failureOf,
  type AgentType,
  type Failure,
  type Labels,
  type Lease,
  type Message,
} from '@quic-swarm/protocol';
import { nextDelayMs } from '@quic-swarm/transport';
import { Life } from './life.ts';
import type { RandomStream } from './random-stream.ts';
import type { SimulatedConnection } from './simulated-connection.ts';
import { SimulatedThreads } from './simulated-threads.ts';
import type { Alarm } from './virtual-clock.ts';
import { ARMS } from './work.ts';
import type { WorldParts } from './world-parts.ts';

/** Who an agent is. */
export interface AgentSpecification {
  readonly agentId: string;
  readonly agentType: AgentType;
  readonly capabilities: readonly string[];
  readonly labels: Labels;
  readonly slots: number;
  readonly threads: number;
}

const CONNECT_TIMEOUT_MS = 3000;

/** A driver gives up on a connection that does not end so long after it was closed. */
const CLOSE_MS_MAX = 2000;

/** See the head of this file. */
export class AgentProcess {
  readonly specification: AgentSpecification;
  readonly #parts: WorldParts;
  readonly #life: Life;
  readonly #core: AgentCore;
  readonly #random: RandomStream;
  readonly #threads: SimulatedThreads;
  readonly #cached = new Set<string>();
  /** Leases whose data sets are on their way. */
  readonly #fetching = new Map<Lease, Set<string>>();
  #connection: SimulatedConnection | undefined;
  #dispatchIsOpen = false;
  #effects: Effect[] = [];
  #isActing = false;
  #alarm: Alarm | undefined;
  #alarmAtMs = Infinity;
  #requests = 0;
  #hasStopped = false;

  constructor(specification: AgentSpecification, parts: WorldParts, lifeNumber: number) {
    this.specification = specification;
    this.#parts = parts;
    const { agentId, slots, threads, agentType, capabilities, labels } = specification;
    this.#life = new Life(parts.clock);
    this.#random = parts.random.fork(`agent ${agentId} ${lifeNumber}`);
    this.#core = new AgentCore({
      agentId,
      agentType,
      slots,
      threads,
      capabilities,
      tunables: capabilities.map((taskType) => ({
        taskType,
        arms: [...ARMS],
        freeParameters: ['k'],
        loss: 'squared',
      })),
      labels,
      resources: {},
      software: 'simulated',
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      giveUpAfterMs: undefined,
      backoffMs: (failures, jitter) => nextDelayMs(failures, jitter),
      isObserved: false,
    });
    this.#threads = new SimulatedThreads({
      life: this.#life,
      nowMs: () => parts.clock.nowMs,
      threads: Math.min(threads, slots),
      works: parts.works,
      tell: (event) => this.tell(event),
      onBegun: (task) => parts.observe((observer) => observer.handlerBegins?.(agentId, task)),
      onFatal: () => this.kill('its handler ended the process'),
    });
    parts.note(`${agentId} starts`);
    this.tell({ type: 'Started' });
    this.tell({ type: 'WorkRequested' });
  }

  /** False once it was killed, has left or has given up. */
  get isRunning(): boolean {
    return this.#life.isAlive && !this.#hasStopped;
  }

  get isFrozen(): boolean {
    return this.#life.isFrozen;
  }

  get core(): AgentCore {
    return this.#core;
  }

  /** kill -9. */
  kill(why: string): void {
    if (!this.isRunning) return;
    this.#parts.note(`${this.specification.agentId} is killed: ${why}`);
    this.#life.kill();
    this.#connection?.abandon('dialler');
  }

  /** SIGSTOP. */
  freeze(): void {
    if (!this.isRunning) return;
    this.#parts.note(`${this.specification.agentId} is frozen`);
    this.#life.freeze();
  }

  /** SIGCONT. */
  thaw(): void {
    if (!this.#life.isFrozen) return;
    this.#parts.note(`${this.specification.agentId} goes on`);
    this.#life.thaw();
  }

  /** SIGTERM. */
  drain(deadlineMs: number): void {
    this.#parts.note(`${this.specification.agentId} is asked to leave`);
    this.#life.receive(() => this.tell({ type: 'DrainRequested', deadlineMs, reason: 'asked to' }));
  }

  /** Tells the core what happened and does what it says. */
  tell(event: Event): void {
    if (!this.isRunning) return;
    const { clock, observe } = this.#parts;
    this.#core.handle(event, clock.nowMs, this.#effects);
    if (this.#isActing) return;
    this.#isActing = true;
    while (this.#effects.length > 0) {
      const effects = this.#effects;
      this.#effects = [];
      for (const effect of effects) this.#act(effect);
    }
    this.#isActing = false;
    observe((observer) => observer.agentSettled?.(this.specification.agentId, this.#core));
    this.#arm();
  }

  #act(effect: Effect): void {
    switch (effect.type) {
      case 'Connect':
        this.#connect(effect.timeoutMs);
        return;
      case 'OpenDispatchStream':
        this.#dispatchIsOpen = true;
        this.#send('dispatch', { type: 'StreamOpen', body: { purpose: 'dispatch' } });
        return;
      case 'Send':
        this.#send(effect.stream, effect.message);
        return;
      case 'SendHeartbeat': {
        const { type: _type, ...said } = effect;
        const body = { ...said, eventLoopLagMs: 0, memoryBytes: 0 };
        this.#send('control', { type: 'HeartbeatMessage', body });
        return;
      }
      case 'CloseConnection':
        this.#close(effect.wireCode, effect.message, effect.graceMs);
        return;
      case 'FetchDatasets':
        this.#fetch(effect.lease, effect.datasets);
        return;
      case 'ReleaseDatasets':
        this.#fetching.delete(effect.lease);
        return;
      case 'RunTask':
        this.#threads.run([effect]);
        return;
      case 'RunTogether':
        this.#threads.run(effect.tasks);
        return;
      case 'AbortTask':
        this.#threads.abort(effect.lease, effect.graceMs);
        return;
      // Simulated handlers search for nothing.
      case 'ShareBound':
      case 'Notify':
        return;
      case 'Stop':
        this.#stop(effect.failure);
    }
  }

  #connect(timeoutMs: number): void {
    const { network } = this.#parts;
    const { agentId } = this.specification;
    let opened: SimulatedConnection | undefined;
    network.connect({
      name: agentId,
      life: this.#life,
      timeoutMs,
      listener: {
        onMessage: (message) => {
          if (this.#connection === opened) this.#hear(message);
        },
        onEnded: (reason) => {
          if (opened !== undefined && this.#connection === opened) this.#ended(reason);
        },
      },
      onOpened: (connection) => {
        if (!this.isRunning) {
          connection.close('dialler', failureOf('CLOSED_LOCALLY', 'The agent has stopped.'), 0);
          return;
        }
        opened = connection;
        this.#connection = connection;
        this.#dispatchIsOpen = false;
        this.tell({ type: 'ConnectionOpened' });
      },
      onFailed: (reason) => this.#ended(reason),
    });
  }

  #hear(message: Message): void {
    if (message.type === 'Dataset') {
      this.#datasetCame(message.body.datasetId);
      return;
    }
    if (message.type === 'ErrorReport' && message.body.requestId !== undefined) {
      this.#fetchesFailed(message.body.failure);
      return;
    }
    const { agentId } = this.specification;
    this.#parts.observe((observer) => observer.agentHears?.(agentId, message, this.#core));
    this.tell({ type: 'MessageReceived', message });
  }

  #ended(reason: Failure): void {
    this.#connection = undefined;
    this.#parts.note(`${this.specification.agentId} has no connection: ${reason.type}`);
    this.#fetchesFailed(failureOf('CONNECTION_LOST', 'The connection ended.'));
    this.tell({ type: 'ConnectionEnded', failure: reason, jitter: this.#random.next() });
  }

  #send(stream: 'control' | 'dispatch', message: Message): void {
    if (this.#connection === undefined) return;
    if (stream === 'dispatch' && !this.#dispatchIsOpen) return;
    const isAlone = this.#parts.travelsAlone(message, this.#random, this.specification.agentId);
    this.#connection.send('dialler', isAlone ? undefined : stream, message);
  }

  #close(wireCode: number, message: string, graceMs: number): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    connection.close('dialler', closedByPeer(wireCode, message), graceMs);
    this.#life.after(graceMs + CLOSE_MS_MAX, () => {
      if (this.#connection === connection) this.#ended(failureOf('CONNECTION_LOST', message));
    });
  }

  #fetch(lease: Lease, datasets: readonly string[]): void {
    const missing = new Set(datasets.filter((datasetId) => !this.#cached.has(datasetId)));
    this.#fetching.set(lease, missing);
    if (missing.size === 0) {
      this.#life.after(0, () => this.#datasetCame(undefined));
      return;
    }
    if (this.#connection === undefined) {
      const reason = failureOf('CONNECTION_LOST', 'There is no connection to fetch it on.');
      this.#life.after(0, () => this.#fetchesFailed(reason));
      return;
    }
    for (const datasetId of missing) {
      this.#requests += 1;
      const body = { requestId: this.#requests, datasetId };
      this.#connection.send('dialler', undefined, { type: 'GetDataset', body });
    }
  }

  #datasetCame(datasetId: string | undefined): void {
    if (datasetId !== undefined) this.#cached.add(datasetId);
    for (const [lease, missing] of this.#fetching) {
      if (datasetId !== undefined) missing.delete(datasetId);
      if (missing.size > 0) continue;
      this.#fetching.delete(lease);
      this.tell({ type: 'DatasetsReady', lease });
    }
  }

  #fetchesFailed(reason: Failure): void {
    const failed = [...this.#fetching.keys()];
    this.#fetching.clear();
    for (const lease of failed) {
      this.tell({ type: 'DatasetsFailed', lease, failure: reason });
    }
  }

  #stop(reason: Failure | undefined): void {
    const { agentId } = this.specification;
    this.#parts.note(`${agentId} stops${reason === undefined ? '' : `: ${reason.type}`}`);
    this.#hasStopped = true;
    const goodbye = failureOf('CONNECTION_LOST', 'The agent has stopped.');
    this.#connection?.close('dialler', goodbye, 0);
    this.#connection = undefined;
  }

  #arm(): void {
    const atMs = this.#core.nextTimeoutMs();
    if (atMs === undefined || atMs >= this.#alarmAtMs) return;
    this.#alarm?.cancel();
    this.#alarmAtMs = atMs;
    const { clock } = this.#parts;
    this.#alarm = this.#life.after(Math.max(0, Math.ceil(atMs - clock.nowMs)), () => {
      this.#alarmAtMs = Infinity;
      this.tell({ type: 'TimeoutReached' });
    });
  }
}

/** What the other side makes of the code in the closing packet. */
function closedByPeer(wireCode: number, message: string): Failure {
  for (const [type, { wireCode: own }] of Object.entries(ERRORS)) {
    if (own === wireCode) return failureOf(type as keyof typeof ERRORS, message);
  }
  return failureOf('CONNECTION_LOST', message);
}
