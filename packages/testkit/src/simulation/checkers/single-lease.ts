/** At most one lease of a task is alive, attempts rise, and only what comes under the living lease is believed. */
import type { CoordinatorCore, CoordinatorEffect } from '@quic-swarm/coordinator';
import type { Lease, Message } from '@quic-swarm/protocol';
import type { TaskNames } from '../names.ts';
import type { Observer } from '../observer.ts';
import { Violation } from '../violation.ts';

type Task = NonNullable<ReturnType<CoordinatorCore['state']['tasks']['get']>>;
type AttemptEnded = Extract<CoordinatorEffect, { type: 'AttemptEnded' }>;

/** What an attempt ends with that its agent has said. */
const ANSWERS: ReadonlySet<string> = new Set(['succeeded', 'failed', 'cancelled']);

/** See the head of this file. Everything is as the effects of the present coordinator tell it. */
export class SingleLease implements Observer {
  readonly #names: TaskNames;
  /** The living attempt of each task. */
  readonly #living = new Map<string, number>();
  readonly #lastGiven = new Map<string, number>();
  /** Attempts whose answer was believed, and those of which the agent was told so. */
  readonly #believed = new Set<string>();
  readonly #receipts = new Set<string>();
  readonly #over = new Set<string>();
  readonly #ended = new Set<string>();
  /** The parts of each task that was split. */
  readonly #parts = new Map<string, Set<string>>();

  constructor(names: TaskNames) {
    this.#names = names;
  }

  coordinatorStarted(): void {
    for (const known of [this.#living, this.#lastGiven, this.#believed, this.#parts]) known.clear();
    for (const known of [this.#receipts, this.#over, this.#ended]) known.clear();
  }

  coordinatorWants(effect: CoordinatorEffect, { state }: CoordinatorCore): void {
    switch (effect.type) {
      case 'Send':
        this.#sent(effect.message, (taskId) => isDurable(state.tasks.get(taskId)));
        return;
      case 'AttemptEnded':
        this.#attemptEnded(effect, mayHaveWaited(effect, state.tasks.get(effect.taskId)));
        return;
      case 'TaskAccepted':
        this.#forget(effect.taskId);
        return;
      case 'TaskEnded':
        this.#living.delete(effect.taskId);
        this.#ended.add(effect.taskId);
        return;
      default:
    }
  }

  /** A task that was known no more is submitted again under the same id: its attempts begin anew. */
  #forget(taskId: string): void {
    this.#ended.delete(taskId);
    this.#living.delete(taskId);
    const last = this.#lastGiven.get(taskId) ?? 0;
    this.#lastGiven.delete(taskId);
    for (let attempt = 0; attempt <= last; attempt += 1) {
      const key = `${taskId} ${attempt}`;
      for (const known of [this.#believed, this.#receipts, this.#over]) known.delete(key);
    }
    // Its parts have ids that follow from its own.
    for (const partId of this.#parts.get(taskId) ?? []) this.#forget(partId);
    this.#parts.delete(taskId);
  }

  #sent(message: Message, mayHaveWaited: (taskId: string) => boolean): void {
    if (message.type === 'AgentTask') {
      const { taskId, shard } = message.body;
      if (shard !== undefined) {
        this.#parts.set(shard.of, (this.#parts.get(shard.of) ?? new Set()).add(taskId));
      }
      this.#given(message.body, mayHaveWaited(shard?.of ?? taskId));
    } else if (message.type === 'AgentAck') {
      for (const lease of message.body.resumedLeases) this.#resumed(lease);
    } else if (message.type === 'MessageAck' && message.body.lease !== undefined) {
      if (message.body.status === 'PROCESSED') this.#receipted(message.body.lease);
    }
  }

  #given({ taskId, attempt }: Lease, mayHaveWaited: boolean): void {
    // A lease may end while its message waits for the disk.
    const mayBeOver =
      mayHaveWaited && (this.#ended.has(taskId) || this.#over.has(`${taskId} ${attempt}`));
    if (mayBeOver) return;
    const living = this.#living.get(taskId);
    if (living !== undefined) {
      this.#fail(taskId, `Attempt ${attempt} is given away while attempt ${living} is alive.`);
    }
    if (this.#ended.has(taskId)) this.#fail(taskId, 'It is given away although it has ended.');
    if (attempt <= (this.#lastGiven.get(taskId) ?? 0)) {
      this.#fail(taskId, `Attempt ${attempt} is given away a second time.`);
    }
    this.#living.set(taskId, attempt);
    this.#lastGiven.set(taskId, attempt);
  }

  #resumed({ taskId, attempt }: Lease): void {
    if (this.#living.has(taskId)) this.#fail(taskId, 'An agent resumes it while another has it.');
    if (this.#ended.has(taskId)) this.#fail(taskId, 'An agent resumes it although it has ended.');
    const last = this.#lastGiven.get(taskId) ?? 0;
    if (attempt < last) {
      this.#fail(taskId, `Attempt ${attempt} is resumed although attempt ${last} was given away.`);
    }
    this.#living.set(taskId, attempt);
    this.#lastGiven.set(taskId, attempt);
    this.#over.delete(`${taskId} ${attempt}`);
  }

  #attemptEnded({ taskId, attempt, outcome }: AttemptEnded, isUntold: boolean): void {
    const living = this.#living.get(taskId);
    const key = `${taskId} ${attempt}`;
    if (this.#ended.has(taskId)) {
      this.#fail(taskId, `The end of attempt ${attempt} is believed although the task has ended.`);
    }
    // Of a durable task the lease may be known to the disk only.
    if (living === undefined ? !isUntold : living !== attempt) {
      this.#fail(taskId, `The end of attempt ${attempt} is believed, but its lease is not alive.`);
    }
    if (this.#over.has(key)) this.#fail(taskId, `Attempt ${attempt} ends twice.`);
    this.#over.add(key);
    this.#living.delete(taskId);
    if (ANSWERS.has(outcome)) this.#believed.add(key);
  }

  /** The agent is told that its answer counts. */
  #receipted({ taskId, attempt }: Lease): void {
    const key = `${taskId} ${attempt}`;
    if (!this.#believed.has(key)) {
      this.#fail(taskId, `Attempt ${attempt} gets a receipt, but its answer was not believed.`);
    }
    if (this.#receipts.has(key)) this.#fail(taskId, `Attempt ${attempt} gets two receipts.`);
    this.#receipts.add(key);
  }

  #fail(taskId: string, sentence: string): never {
    throw new Violation('single lease', sentence, [this.#names.of(taskId)]);
  }
}

/** Was it given away to an agent that was perhaps never told? Parts are gone with their whole. */
function mayHaveWaited({ outcome }: AttemptEnded, task: Task | undefined): boolean {
  return task === undefined ? !ANSWERS.has(outcome) : isDurable(task);
}

/** A part is as durable as its whole. */
function isDurable(task: Task | undefined): boolean {
  return (task?.shard?.parent ?? task)?.durability !== undefined;
}
