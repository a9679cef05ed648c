/** Exactly one final record per task, and it never changes: everybody is told the same end. */
import type { CoordinatorCore, CoordinatorEffect } from '@quic-swarm/coordinator';
import { isTerminal, type Failure, type TaskEvent, type TaskState } from '@quic-swarm/protocol';
import type { TaskNames } from '../names.ts';
import type { Observer, Promised } from '../observer.ts';
import { Violation } from '../violation.ts';

const RULE = 'single end';

/** See the head of this file. */
export class SingleEnd implements Observer {
  readonly #names: TaskNames;
  /** Ends that the present coordinator knows. */
  readonly #ends = new Map<string, TaskState>();
  /** Ends of durable tasks, which outlive coordinators. */
  readonly #durable = new Set<string>();
  /** Every end that any coordinator has recorded. */
  readonly #everEnded = new Map<string, Set<TaskState>>();

  constructor(names: TaskNames) {
    this.#names = names;
  }

  coordinatorStarted(): void {
    for (const taskId of this.#ends.keys()) {
      if (!this.#durable.has(taskId)) this.#ends.delete(taskId);
    }
  }

  coordinatorWants(effect: CoordinatorEffect, _core: CoordinatorCore): void {
    if (effect.type === 'TaskEnded') this.#recorded(effect.taskId, effect.state);
    if (effect.type !== 'Send') return;
    const { message } = effect;
    if (message.type === 'TaskEvent' || message.type === 'SubmitAck') {
      this.#told(message.body.taskId, message.body.state);
    }
  }

  clientAccepted(promised: Promised, taskId: string): void {
    if (promised.isDurable) this.#durable.add(taskId);
  }

  clientSettled({ taskId }: Promised, how: TaskEvent | Failure): void {
    if (!('kind' in how)) return;
    const recorded = this.#everEnded.get(how.taskId);
    if (recorded?.has(how.state) === true) return;
    this.#fail(taskId, `A client was told that it ended as ${how.state}, which nobody recorded.`);
  }

  #recorded(taskId: string, state: TaskState): void {
    const before = this.#ends.get(taskId);
    if (before !== undefined) {
      this.#fail(taskId, `It ended as ${before}, and then a second time as ${state}.`);
    }
    this.#ends.set(taskId, state);
    const ever = this.#everEnded.get(taskId) ?? new Set();
    this.#everEnded.set(taskId, ever.add(state));
  }

  #told(taskId: string, state: TaskState): void {
    const recorded = this.#ends.get(taskId);
    if (recorded === undefined ? !isTerminal(state) : recorded === state) return;
    this.#fail(taskId, `Somebody is told ${state}, but its record says ${recorded ?? 'no end'}.`);
  }

  #fail(taskId: string, sentence: string): never {
    throw new Violation(RULE, sentence, [this.#names.of(taskId)]);
  }
}
