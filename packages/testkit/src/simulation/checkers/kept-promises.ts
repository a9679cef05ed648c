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
  /** Dead letters that somebody has dropped or submitted again: whoever waits for one still hears that it is gone. */
  readonly #givenUp = new Set<string>();

  /** Which dead letter a task was before: that one goes on under another id as soon as this one is acknowledged. */
  readonly #replayOf = new Map<string, string>();

  /** The coordinator's bounds are so low that it may forget ends of which somebody else has heard. */
  #mayForget = false;

  constructor(names: TaskNames) {
    this.#names = names;
  }

  coordinatorStarted({ state }: CoordinatorCore): void {
    this.#mayForget = state.options.finishedTasksMax < 1000;
  }

  coordinatorWants(effect: CoordinatorEffect, { state }: CoordinatorCore): void {
    if (effect.type === 'TaskAccepted') {
      this.#givenUp.delete(effect.taskId);
      const { replayOf } = state.tasks.get(effect.taskId) ?? {};
      if (replayOf !== undefined) {
        this.#replayOf.set(effect.taskId, replayOf);
        this.#givenUp.add(replayOf);
      }
    }
    if (effect.type !== 'Send') return;
    const { message } = effect;
    if (message.type === 'SubmitAck') {
      const { taskId } = message.body;
      const task = state.tasks.get(taskId);
      if (task?.durability !== undefined && task.endedAtMs === undefined) this.#owed.add(taskId);
      const replayOf = this.#replayOf.get(taskId);
      if (replayOf !== undefined) this.#owed.delete(replayOf);
    } else if (message.type === 'TaskEvent' && message.body.kind === 'end') {
      this.#owed.delete(message.body.taskId);
    }
  }

  /** Whatever becomes of a dead letter that nobody wants any more, it was asked for. */
  dropAsked(taskId: string): void {
    this.#owed.delete(taskId);
    this.#givenUp.add(taskId);
  }

  coordinatorRestored({ state }: CoordinatorCore): void {
    const replayed = new Set<string | undefined>();
    for (const { replayOf } of state.tasks.values()) replayed.add(replayOf);
    for (const taskId of this.#owed) {
      if (state.tasks.get(taskId) !== undefined || replayed.has(taskId)) continue;
      this.#fail(taskId, 'It was acknowledged as durable, and the next life does not know it.');
    }
  }

  clientSettled({ isDurable, taskId }: Promised, how: TaskEvent | Failure): void {
    if (this.#mayForget || !isDurable || 'kind' in how || this.#givenUp.has(taskId)) return;
    if (!how.message.includes('had not kept')) return;
    this.#fail(taskId, 'It was acknowledged as durable, and its client was told that it is gone.');
  }

  #fail(taskId: string, sentence: string): never {
    throw new Violation('kept promises', sentence, [this.#names.of(taskId), 'coordinator starts']);
  }
}
