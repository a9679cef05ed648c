/**
 * Exactly one final record per task, and it never changes: everybody is told the same end. That of a durable task stays
 * the same across lives of the coordinator as soon as somebody was told.
 */
import type { CoordinatorCore, CoordinatorEffect } from '@quic-swarm/coordinator';
import { isTerminal, type Failure, type TaskEvent, type TaskState } from '@quic-swarm/protocol';
import type { TaskNames } from '../names.ts';
import type { Observer, Promised } from '../observer.ts';
import { Violation } from '../violation.ts';

/** See the head of this file. */
export class SingleEnd implements Observer {
  readonly #names: TaskNames;
  /** Ends that the present coordinator knows. */
  readonly #ends = new Map<string, TaskState>();
  /** Ends of durable tasks that somebody was told. */
  readonly #toldForGood = new Map<string, TaskState>();
  /** Tasks that the present coordinator has ended while it read the journal, and will say so. */
  readonly #endedAtStart = new Set<string>();
  /** Tasks that are durable: what is said of one may have waited for the disk, and the task be known no more. */
  readonly #durable = new Set<string>();
  /** Every end that anybody was told. */
  readonly #everTold = new Map<string, Set<TaskState>>();

  constructor(names: TaskNames) {
    this.#names = names;
  }

  coordinatorStarted(): void {
    this.#ends.clear();
    this.#endedAtStart.clear();
  }

  coordinatorRestored({ state }: CoordinatorCore): void {
    for (const task of state.tasks.values()) {
      if (task.durability !== undefined) this.#durable.add(task.taskId);
      if (!isTerminal(task.state)) continue;
      this.#recorded(task.taskId, task.state);
      this.#endedAtStart.add(task.taskId);
    }
  }

  coordinatorWants(effect: CoordinatorEffect, { state }: CoordinatorCore): void {
    // One that was forgotten, or never acknowledged, may be submitted again under its id.
    if (effect.type === 'TaskAccepted') {
      this.#forget(effect.taskId);
      const isDurable = state.tasks.get(effect.taskId)?.durability !== undefined;
      if (isDurable) this.#durable.add(effect.taskId);
      else this.#durable.delete(effect.taskId);
    }
    if (effect.type === 'TaskEnded' && !this.#endedAtStart.delete(effect.taskId)) {
      this.#recorded(effect.taskId, effect.state);
    }
    if (effect.type !== 'Send') return;
    const { message } = effect;
    if (message.type !== 'TaskEvent' && message.type !== 'SubmitAck') return;
    const { taskId, state: told } = message.body;
    this.#told(taskId, told, this.#durable.has(taskId));
  }

  clientSettled({ taskId }: Promised, how: TaskEvent | Failure): void {
    if (!('kind' in how) || this.#everTold.get(how.taskId)?.has(how.state) === true) return;
    this.#fail(taskId, `A client heard that it ended as ${how.state}, which nobody has said.`);
  }

  #forget(taskId: string): void {
    this.#ends.delete(taskId);
    this.#toldForGood.delete(taskId);
  }

  #recorded(taskId: string, state: TaskState): void {
    const before = this.#ends.get(taskId);
    if (before !== undefined) {
      this.#fail(taskId, `It ended as ${before}, and then a second time as ${state}.`);
    }
    const told = this.#toldForGood.get(taskId) ?? state;
    if (told !== state) {
      this.#fail(taskId, `It is durable, somebody was told ${told}, and now it ended as ${state}.`);
    }
    this.#ends.set(taskId, state);
  }

  #told(taskId: string, state: TaskState, isDurable: boolean): void {
    if (!isTerminal(state)) {
      this.#toldUnended(taskId, state, isDurable);
      return;
    }
    const recorded = this.#ends.get(taskId);
    if (recorded !== state) {
      this.#fail(taskId, `Somebody is told ${state}, but its record says ${recorded ?? 'no end'}.`);
    }
    if (isDurable) this.#toldForGood.set(taskId, state);
    const ever = this.#everTold.get(taskId) ?? new Set();
    this.#everTold.set(taskId, ever.add(state));
  }

  /** What is said of a durable task may have waited for the disk, so that it is old news. */
  #toldUnended(taskId: string, state: TaskState, isDurable: boolean): void {
    const recorded = this.#ends.get(taskId);
    if (recorded === undefined || isDurable) return;
    this.#fail(taskId, `Somebody is told ${state}, but it has ended as ${recorded}.`);
  }

  #fail(taskId: string, sentence: string): never {
    throw new Violation('single end', sentence, [this.#names.of(taskId)]);
  }
}
