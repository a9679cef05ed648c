/** A core that tests drive by hand, with virtual time, and that is checked after each step. */
import type {
  AgentAck,
  AgentTask,
  Lease,
  Message,
  MessageOf,
  MessageType,
} from '@quic-swarm/protocol';
import { failure, type Failure } from '@quic-swarm/protocol';
import { AgentCore, type AgentCoreOptions } from '../../src/core/agent.ts';
import type { Effect, RunnableTask } from '../../src/core/effects.ts';
import type { Event, TaskResult } from '../../src/core/events.ts';
import { validate } from '../../src/core/validate.ts';

const EPOCH = 3;

export function taskIdOf(n: number): string {
  return `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
}

export function leaseOf(n: number, attempt = 1): Lease {
  return { epoch: EPOCH, taskId: taskIdOf(n), attempt };
}

/** What an effect asks to run. */
export function runnableOf(effect: Effect): readonly RunnableTask[] {
  if (effect.type === 'RunTask') return [effect];
  return effect.type === 'RunTogether' ? effect.tasks : [];
}

export class World {
  readonly core: AgentCore;
  /** Everything the core asked for, in order; `take` empties it. */
  effects: Effect[] = [];
  nowMs = 1000;
  #sequence = 0;

  constructor(options: Partial<AgentCoreOptions> = {}) {
    this.core = new AgentCore({
      agentId: 'agent-1',
      agentType: 'compute',
      slots: 2,
      labels: {},
      resources: {},
      software: 'test',
      connectTimeoutMs: 3000,
      giveUpAfterMs: undefined,
      backoffMs: (failures, jitter) => 100 * 2 ** failures * jitter,
      capabilities: ['work'],
      isObserved: true,
      ...options,
    });
  }

  tell(event: Event): this {
    this.effects.push(...this.core.handle(event, this.nowMs));
    validate(this.core);
    return this;
  }

  hear<T extends MessageType>(type: T, body: MessageOf<T>['body']): this {
    return this.tell({ type: 'MessageReceived', message: { type, body } as Message });
  }

  /** Connects, joins and asks for work. */
  join(ack: Partial<AgentAck> = {}): this {
    if (this.core.session.state === 'idle') this.tell({ type: 'Started' });
    this.tell({ type: 'ConnectionOpened' });
    this.#sequence = 0;
    this.hear('AgentAck', {
      protocol: 1,
      sessionToken: 'token-1',
      epoch: EPOCH,
      heartbeatIntervalMs: 500,
      heartbeatTimeoutMs: 3000,
      reconnectGraceMs: 10_000,
      streams: ['dispatch'],
      grants: { payloadBytesMax: 1000, datasetBytesMax: 1000, streamsMax: 10 },
      features: [],
      resumedLeases: [],
      ...ack,
    });
    return this.tell({ type: 'WorkRequested' });
  }

  dispatch(n: number, more: Partial<AgentTask> = {}): this {
    return this.hear('AgentTask', {
      ...leaseOf(n),
      dispatchSequence: (this.#sequence += 1),
      taskType: 'work',
      datasets: [],
      startToCloseMs: 60_000,
      ...more,
    });
  }

  /** Says that the handler of a task has begun and did not end at once. */
  begin(n: number, attempt = 1): this {
    return this.tell({ type: 'TasksBegun', leases: [leaseOf(n, attempt)] });
  }

  finish(n: number, result: Partial<TaskResult> = {}): this {
    const full: TaskResult = { outcome: 'succeeded', computeMs: 5, usedArm: false, ...result };
    return this.tell({ type: 'TaskFinished', lease: leaseOf(n), result: full });
  }

  acknowledge(n: number): this {
    return this.hear('MessageAck', { lease: leaseOf(n), status: 'PROCESSED' });
  }

  cancel(n: number, graceMs = 1000): this {
    const body = { taskId: taskIdOf(n), epoch: EPOCH, attempt: 1, reason: 'a test', graceMs };
    return this.hear('CancelTask', body);
  }

  lose(reason: Failure = failure('CONNECTION_LOST', 'gone'), jitter = 0.5): this {
    return this.tell({ type: 'ConnectionEnded', failure: reason, jitter });
  }

  /** Lets time pass, stopping wherever the core wants to be woken. */
  pass(durationMs: number): this {
    const untilMs = this.nowMs + durationMs;
    for (;;) {
      const nextMs = this.core.nextTimeoutMs();
      if (nextMs === undefined || nextMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, nextMs);
      this.tell({ type: 'TimeoutReached' });
    }
    this.nowMs = untilMs;
    return this;
  }

  /** What was asked for since the last call. */
  take(): Effect[] {
    return this.effects.splice(0);
  }

  /** The types of the effects since the last call; messages by their name, observers left out. */
  story(): string[] {
    return this.take()
      .filter(({ type }) => type !== 'Notify')
      .map((effect) => (effect.type === 'Send' ? effect.message.type : effect.type));
  }

  /** The leases whose handlers were started since the last call. */
  started(): Lease[] {
    return this.take().flatMap((effect) => runnableOf(effect).map(({ lease }) => lease));
  }

  /** The messages of one type since the last call. */
  sent<T extends MessageType>(type: T): MessageOf<T>['body'][] {
    const bodies: MessageOf<T>['body'][] = [];
    for (const effect of this.take()) {
      if (effect.type !== 'Send' || effect.message.type !== type) continue;
      bodies.push((effect.message as MessageOf<T>).body);
    }
    return bodies;
  }
}
