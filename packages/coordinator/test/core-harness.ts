/** A coordinator core with a clock that the test moves, agents and clients that the test plays, and all checks on. */
import type {
  AgentHandshake,
  BodyOf,
  Message,
  MessageOf,
  MessageType,
  SubmitTask,
  TaskRow,
} from '@quic-swarm/protocol';
import { CoordinatorCore } from '../src/core/coordinator.ts';
import type { CoordinatorEffect } from '../src/core/effects.ts';
import type { CoordinatorEvent } from '../src/core/events.ts';
import type { JournalRecord } from '../src/core/journal-records.ts';
import type { CoreOptions } from '../src/core/options.ts';
import { taskRow } from '../src/core/status.ts';
import { validate } from '../src/core/validate.ts';

/** A task id made of a number. */
export function taskIdOf(n: number): string {
  return `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** One side of a connection that the test plays. */
export class PlayedPeer {
  readonly harness: CoreHarness;
  readonly connectionId: string;
  readonly inbox: Message[] = [];
  closedWith: string | undefined;

  constructor(harness: CoreHarness, connectionId: string) {
    this.harness = harness;
    this.connectionId = connectionId;
  }

  say<T extends MessageType>(type: T, body: BodyOf<T>): void {
    const message = { type, body } as unknown as Message;
    this.harness.feed({ type: 'MessageReceived', connectionId: this.connectionId, message });
  }

  /** All messages of a type that came and were not taken before. */
  take<T extends MessageType>(type: T): BodyOf<T>[] {
    const taken = this.inbox.filter(
      (message) => message.type === type,
    ) as unknown as MessageOf<T>[];
    this.inbox.splice(
      0,
      this.inbox.length,
      ...this.inbox.filter((message) => message.type !== type),
    );
    return taken.map(({ body }) => body);
  }

  vanish(): void {
    this.harness.feed({ type: 'ConnectionEnded', connectionId: this.connectionId, reason: 'test' });
  }
}

/** An agent that the test plays. */
export class PlayedAgent extends PlayedPeer {
  lastDispatchSequence = 0;

  /** Takes tasks that came; they count as held until completed. */
  takeTasks(): BodyOf<'AgentTask'>[] {
    const tasks = this.take('AgentTask');
    for (const { dispatchSequence } of tasks) this.lastDispatchSequence = dispatchSequence;
    return tasks;
  }

  start({ epoch, taskId, attempt }: BodyOf<'AgentTask'>): void {
    this.say('TaskStarted', { epoch, taskId, attempt });
  }

  complete(
    { epoch, taskId, attempt }: { epoch: number; taskId: string; attempt: number },
    rest: Partial<BodyOf<'TaskCompletion'>> = {},
  ): void {
    this.say('TaskCompletion', {
      epoch,
      taskId,
      attempt,
      outcome: 'succeeded',
      chunkCount: 0,
      computeMs: 1,
      waitMs: 0,
      ...rest,
    });
  }

  fail(lease: BodyOf<'AgentTask'>, type: string, retryable: boolean): void {
    this.complete(lease, {
      outcome: 'failed',
      failure: { code: 'UNKNOWN', type, message: 'because', retryable },
    });
  }

  heartbeat(leases: { epoch: number; taskId: string; attempt: number }[] = [], sequence = 1): void {
    this.say('HeartbeatMessage', {
      sequence,
      leases: leases.map(({ epoch, taskId, attempt }) => ({ epoch, taskId, attempt })),
      lastDispatchSequence: this.lastDispatchSequence,
      running: 0,
      waiting: 0,
      eventLoopLagMs: 0,
      memoryBytes: 0,
    });
  }
}

/** A client that the test plays. */
export class PlayedClient extends PlayedPeer {
  submit(n: number, rest: Partial<SubmitTask> = {}): string {
    const taskId = taskIdOf(n);
    this.say('SubmitTask', {
      requestId: n,
      taskId,
      taskType: 'PatternMatch',
      datasets: [],
      watch: 'result',
      payload: new Uint8Array([n % 256]),
      ...rest,
    });
    return taskId;
  }

  /** The ends that were told, by task id. */
  ends(): Map<string, BodyOf<'TaskEvent'>> {
    const ends = this.take('TaskEvent').filter(({ kind }) => kind === 'end');
    return new Map(ends.map((event) => [event.taskId, event]));
  }
}

/** A disk that writes when the test says so. */
export class PlayedDisk {
  synced: JournalRecord[] = [];
  #waiting: JournalRecord[] = [];
  #position = 0;

  append(record: JournalRecord, position: number): void {
    // As a real one it keeps a copy.
    this.#waiting.push(structuredClone(record));
    this.#position = position;
  }

  replace(records: JournalRecord[], position: number): void {
    this.synced = structuredClone(records);
    this.#waiting = [];
    this.#position = position;
  }

  sync(): number {
    this.synced.push(...this.#waiting);
    this.#waiting = [];
    return this.#position;
  }

  crash(): void {
    this.#waiting = [];
    this.#position = 0;
  }
}

/** See the head of this file. */
export class CoreHarness {
  readonly core: CoordinatorCore;
  readonly effects: CoordinatorEffect[] = [];
  readonly disk: PlayedDisk;
  readonly #peers = new Map<string, PlayedPeer>();
  #connections = 0;
  nowMs = 1000;

  constructor(options: Partial<CoreOptions> = {}, disk: PlayedDisk = new PlayedDisk()) {
    this.disk = disk;
    this.core = new CoordinatorCore({ epoch: 7, seed: 1, ...options });
  }

  /** A coordinator with durable tasks, in its first life. */
  static durable(options: Partial<CoreOptions> = {}): CoreHarness {
    return new CoreHarness({ features: ['durable', 'dependencies', 'shards'], ...options });
  }

  /** The disk has written what was appended so far. */
  sync(): void {
    this.feed({ type: 'JournalCommitted', position: this.disk.sync() });
  }

  /** The next life, after a power cut: what was not written is lost. */
  nextLife(options: Partial<CoreOptions> = {}): CoreHarness {
    const { epoch, ...before } = this.core.state.options;
    this.disk.crash();
    const next = new CoreHarness({ ...before, epoch: epoch + 1, ...options }, this.disk);
    next.nowMs = this.nowMs;
    next.feed({ type: 'JournalReplayed', records: this.disk.synced });
    next.feed({ type: 'JournalRestored' });
    return next;
  }

  feed(event: CoordinatorEvent): void {
    const effects = this.core.handle(event, this.nowMs);
    validate(this.core.state);
    for (const effect of effects) {
      this.effects.push(effect);
      if (effect.type === 'AppendJournal') this.disk.append(effect.record, effect.position);
      if (effect.type === 'TakeSnapshot')
        this.disk.replace([...this.core.snapshot()], effect.position);
      if (effect.type === 'Send') this.#peers.get(effect.connectionId)?.inbox.push(effect.message);
      if (effect.type === 'Close') {
        const peer = this.#peers.get(effect.connectionId);
        if (peer !== undefined) peer.closedWith = effect.errorType ?? 'NO_ERROR';
      }
    }
  }

  agent(agentId: string, options: Partial<AgentHandshake> & { credit?: number } = {}): PlayedAgent {
    const { credit = 2, ...handshake } = options;
    const agent = new PlayedAgent(this, this.#nextConnection());
    this.#peers.set(agent.connectionId, agent);
    this.feed({
      type: 'AgentJoined',
      connectionId: agent.connectionId,
      address: '127.0.0.1:1',
      protocol: 1,
      sessionToken: `token-${agent.connectionId}`,
      handshake: {
        protocolMin: 1,
        protocolMax: 1,
        agentId,
        agentType: 'pattern',
        slots: 2,
        capabilities: ['PatternMatch'],
        labels: {},
        resources: {},
        heldLeases: [],
        ...handshake,
      },
    });
    this.feed({ type: 'DispatchStreamOpened', connectionId: agent.connectionId });
    agent.say('CreditGrant', { credit });
    return agent;
  }

  client(clientName = 'test'): PlayedClient {
    const client = new PlayedClient(this, this.#nextConnection());
    this.#peers.set(client.connectionId, client);
    this.feed({
      type: 'ClientJoined',
      connectionId: client.connectionId,
      address: '127.0.0.1:2',
      protocol: 1,
      sessionToken: 'token',
      handshake: { protocolMin: 1, protocolMax: 1, clientName },
    });
    return client;
  }

  /** Moves the clock, stopping at each timeout on the way as a punctual shell would. */
  advance(durationMs: number, eachMs?: () => void): void {
    const untilMs = this.nowMs + durationMs;
    for (;;) {
      const nextMs = this.core.nextTimeoutMs();
      if (nextMs === undefined || nextMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, nextMs);
      this.feed({ type: 'TimePassed' });
      eachMs?.();
    }
    this.nowMs = untilMs;
    this.feed({ type: 'TimePassed' });
  }

  row(taskId: string): TaskRow {
    const task = this.core.state.tasks.get(taskId);
    if (task === undefined) throw new Error(`no task ${taskId}`);
    return taskRow(this.core.state, task, this.nowMs, true);
  }

  #nextConnection(): string {
    this.#connections += 1;
    return `c${this.#connections}`;
  }
}
