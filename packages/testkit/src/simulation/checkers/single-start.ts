/** A task that is not idempotent is started at most once, whatever happens: counted where handlers really begin. */
import type { CoordinatorEffect, CoordinatorEvent } from '@quic-swarm/coordinator';
import type { AgentTask } from '@quic-swarm/protocol';
import type { TaskNames } from '../names.ts';
import type { Observer } from '../observer.ts';
import { Violation } from '../violation.ts';

/** See the head of this file. */
export class SingleStart implements Observer {
  readonly #names: TaskNames;
  /** Those tasks, and whether they are durable. */
  readonly #onlyOnce = new Map<string, boolean>();
  readonly #starts = new Map<string, string>();

  constructor(names: TaskNames) {
    this.#names = names;
  }

  coordinatorTakes(event: CoordinatorEvent): void {
    if (event.type !== 'MessageReceived' || event.message.type !== 'SubmitTask') return;
    const { taskId, idempotent = true, durable = false } = event.message.body;
    if (!idempotent) this.#onlyOnce.set(taskId, durable);
  }

  coordinatorWants(effect: CoordinatorEffect): void {
    // A task that was forgotten after its end and is submitted again is a new one to everybody but its submitter.
    if (effect.type !== 'TaskAccepted') return;
    const { taskId } = effect;
    for (const key of this.#starts.keys()) if (key.endsWith(taskId)) this.#starts.delete(key);
  }

  handlerBegins(agentId: string, { taskId, shard, epoch }: AgentTask): void {
    const isDurable = this.#onlyOnce.get(shard?.of ?? taskId);
    if (isDurable === undefined) return;
    // A task that is not durable is another one for a coordinator that was started again.
    const key = isDurable ? taskId : `${epoch} ${taskId}`;
    const before = this.#starts.get(key);
    this.#starts.set(key, agentId);
    if (before === undefined) return;
    const sentence = `It may be started only once, but was started by ${before} and again by ${agentId}.`;
    throw new Violation('single start', sentence, [this.#names.of(taskId)]);
  }
}
