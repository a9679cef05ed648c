/** The coordinator holds no more tasks than its options allow. */
import type { CoordinatorCore, CoordinatorEffect } from '@quic-swarm/coordinator';
import type { Observer } from '../observer.ts';
import { Violation } from '../violation.ts';

/** See the head of this file. */
export class QueueBounded implements Observer {
  /** Accepted and not ended, as the effects tell it; shards are not among them. */
  #open = 0;

  coordinatorStarted(): void {
    this.#open = 0;
  }

  coordinatorWants(effect: CoordinatorEffect): void {
    if (effect.type === 'TaskAccepted') this.#open += 1;
    if (effect.type === 'TaskEnded') this.#open -= 1;
  }

  coordinatorSettled({ state }: CoordinatorCore): void {
    const { options, pendingTasks, pendingBytes } = state;
    const { pendingTasksMax, pendingBytesMax } = options;
    const isOver =
      this.#open > pendingTasksMax ||
      pendingTasks > pendingTasksMax ||
      pendingBytes > pendingBytesMax;
    if (!isOver) return;
    const counted = `${this.#open} tasks by its effects, ${pendingTasks} with shards, ${pendingBytes} bytes`;
    throw new Violation(
      'queue bound',
      `The coordinator holds ${counted}; it may ${pendingTasksMax}.`,
    );
  }
}
