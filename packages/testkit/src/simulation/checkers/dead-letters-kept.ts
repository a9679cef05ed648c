/**
 * A dead letter stays until somebody drops it or submits it again, and is submitted again once: also across lives of the
 * coordinator when its task was durable, and when the disk fails under it.
 */
import type { CoordinatorCore, CoordinatorEffect, CoordinatorEvent } from '@quic-swarm/coordinator';
import type { TaskNames } from '../names.ts';
import type { Observer } from '../observer.ts';
import { Violation } from '../violation.ts';

/** See the head of this file. */
export class DeadLettersKept implements Observer {
  readonly #names: TaskNames;
  /** Dead letters of which somebody was told; true: of durable tasks. */
  readonly #told = new Map<string, boolean>();
  /** Somebody wants it to be dropped; it may be gone before he hears so. */
  readonly #dropAsked = new Set<string>();
  readonly #dropAnswered = new Set<string>();
  /** The acknowledged new task of each that was submitted again. */
  readonly #replays = new Map<string, string>();
  /** Which dead letter a task was before, of all that were ever accepted: it may be gone when that is acknowledged. */
  readonly #replayOf = new Map<string, string>();
  #isDue = false;

  constructor(names: TaskNames) {
    this.#names = names;
  }

  coordinatorStarted(): void {
    for (const [taskId, isDurable] of this.#told) if (!isDurable) this.#forget(taskId);
  }

  coordinatorRestored(core: CoordinatorCore): void {
    this.#check(core);
  }

  coordinatorTakes(event: CoordinatorEvent): void {
    if (event.type === 'JournalFailed') this.#isDue = true;
  }

  coordinatorSettled(core: CoordinatorCore): void {
    if (!this.#isDue) return;
    this.#isDue = false;
    this.#check(core);
  }

  healed(core: CoordinatorCore): void {
    this.#check(core);
  }

  coordinatorWants(effect: CoordinatorEffect, { state }: CoordinatorCore): void {
    // One that was forgotten may be submitted again under its id.
    if (effect.type === 'TaskAccepted') {
      this.#forget(effect.taskId);
      const { replayOf } = state.tasks.get(effect.taskId) ?? {};
      if (replayOf !== undefined) this.#replayOf.set(effect.taskId, replayOf);
    }
    if (effect.type !== 'Send') return;
    const { message } = effect;
    if (message.type === 'TaskEvent' && message.body.deadLettered === true) {
      const { taskId, durable = false } = message.body;
      // What is said of a durable task may have waited for the disk, and be old news.
      if (state.deadLetters.has(taskId)) this.#told.set(taskId, durable);
    } else if (message.type === 'SubmitAck') {
      const { taskId } = message.body;
      const replayOf = this.#replayOf.get(taskId);
      if (replayOf !== undefined) this.#replayed(replayOf, taskId);
    }
  }

  dropAsked(taskId: string): void {
    this.#dropAsked.add(taskId);
  }

  dropAnswered(taskId: string): void {
    this.#dropAnswered.add(taskId);
  }

  #replayed(taskId: string, replayId: string): void {
    const before = this.#replays.get(taskId) ?? replayId;
    if (before !== replayId) {
      const both = `as ${this.#names.of(before)} and as ${this.#names.of(replayId)}`;
      this.#fail(taskId, `It is a dead letter that was submitted again twice, ${both}.`);
    }
    this.#replays.set(taskId, replayId);
  }

  #check({ state }: CoordinatorCore): void {
    const replayed = new Set<string | undefined>();
    for (const { replayOf } of state.tasks.values()) replayed.add(replayOf);
    for (const taskId of this.#told.keys()) {
      const isThere = state.deadLetters.has(taskId);
      const isOver = this.#replays.has(taskId) || this.#dropAnswered.has(taskId);
      if (isThere && isOver) {
        this.#fail(taskId, 'It was submitted again or dropped, and is a dead letter again.');
      }
      if (isThere || isOver || this.#dropAsked.has(taskId) || replayed.has(taskId)) continue;
      this.#fail(taskId, 'It was a dead letter, and is gone although nobody has asked for that.');
    }
  }

  #forget(taskId: string): void {
    this.#told.delete(taskId);
    this.#dropAsked.delete(taskId);
    this.#dropAnswered.delete(taskId);
    this.#replays.delete(taskId);
  }

  #fail(taskId: string, sentence: string): never {
    throw new Violation('dead letters', sentence, [this.#names.of(taskId)]);
  }
}
