/**
 * A durable task that was acknowledged is never lost: the next life of the coordinator knows it, and no client is told
 * that it is gone.
 */
import type { CoordinatorCore, CoordinatorEffect } from '@quic-swarm/coordinator';
import type { Failure, TaskEvent } from '@quic-swarm/protocol';
import type { TaskNames } from '../names.ts';
import type { Observer, Promised } from '../observer.ts';
import { Violation } from '../violation.ts';

/** See the head of this file. */
export class KeptPromises implements Observer {
  readonly #names: TaskNames;
  /** Durable tasks of which somebody was told that they are accepted, and nobody that they have ended. */
  readonly #owed = new Set<string>();

  /** The coordinator's bounds are so low that it may forget ends of which somebody else has heard. */
  #mayForget = false;

  constructor(names: TaskNames) {
    this.#names = names;
  }

  coordinatorStarted({ state }: CoordinatorCore): void {
    this.#mayForget = state.options.finishedTasksMax < 1000;
  }

  coordinatorWants(effect: CoordinatorEffect, { state }: CoordinatorCore): void {
    if (effect.type !== 'Send') return;
    const { message } = effect;
    if (message.type === 'SubmitAck') {
      const { taskId } = message.body;
      const task = state.tasks.get(taskId);
      if (task?.durability !== undefined && task.endedAtMs === undefined) this.#owed.add(taskId);
    } else if (message.type === 'TaskEvent' && message.body.kind === 'end') {
      this.#owed.delete(message.body.taskId);
    }
  }

  coordinatorRestored({ state }: CoordinatorCore): void {
    for (const taskId of this.#owed) {
      if (state.tasks.get(taskId) !== undefined) continue;
      this.#fail(taskId, 'It was acknowledged as durable, and the next life does not know it.');
    }
  }

  clientSettled({ isDurable, taskId }: Promised, how: TaskEvent | Failure): void {
    if (this.#mayForget || !isDurable || 'kind' in how) return;
    if (!how.message.includes('had not kept')) return;
    this.#fail(taskId, 'It was acknowledged as durable, and its client was told that it is gone.');
  }

  #fail(taskId: string, sentence: string): never {
    throw new Violation('kept promises', sentence, [this.#names.of(taskId), 'coordinator starts']);
  }
}
