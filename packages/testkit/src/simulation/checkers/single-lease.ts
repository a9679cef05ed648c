/** At most one lease of a task is alive, attempts rise, and only what comes under the living lease is accepted. */
import type { CoordinatorEffect } from '@quic-swarm/coordinator';
import type { Lease, Message } from '@quic-swarm/protocol';
import type { TaskNames } from '../names.ts';
import { leaseKey, type Observer } from '../observer.ts';
import { Violation } from '../violation.ts';

const RULE = 'single lease';

/** See the head of this file. */
export class SingleLease implements Observer {
  readonly #names: TaskNames;
  /** The living lease of each task, as the effects of the coordinator tell it. */
  readonly #living = new Map<string, Lease>();
  /** Leases that were alive last: what ended them may have been the completion that is just accepted. */
  readonly #lastAttempts = new Map<string, number>();
  readonly #accepted = new Set<string>();
  readonly #ended = new Set<string>();

  constructor(names: TaskNames) {
    this.#names = names;
  }

  coordinatorStarted(): void {
    this.#living.clear();
    this.#lastAttempts.clear();
    this.#ended.clear();
  }

  coordinatorWants(effect: CoordinatorEffect): void {
    if (effect.type === 'Send') this.#sent(effect.message);
    else if (effect.type === 'AttemptEnded') this.#living.delete(effect.taskId);
    else if (effect.type === 'TaskEnded') {
      this.#living.delete(effect.taskId);
      this.#ended.add(effect.taskId);
    }
  }

  #sent(message: Message): void {
    if (message.type === 'AgentTask') this.#given(message.body);
    else if (message.type === 'AgentAck') {
      for (const lease of message.body.resumedLeases) this.#resumed(lease);
    } else if (message.type === 'MessageAck' && message.body.lease !== undefined) {
      if (message.body.status === 'PROCESSED') this.#processed(message.body.lease);
    }
  }

  #given(lease: Lease): void {
    const { taskId, attempt } = lease;
    const living = this.#living.get(taskId);
    if (living !== undefined) {
      this.#fail(lease, `Attempt ${attempt} is given away while attempt ${living.attempt} is alive.`);
    }
    if (this.#ended.has(taskId)) this.#fail(lease, `It is given away although it has ended.`);
    if (attempt <= (this.#lastAttempts.get(taskId) ?? 0)) {
      this.#fail(lease, `Attempt ${attempt} is given away a second time.`);
    }
    this.#living.set(taskId, lease);
    this.#lastAttempts.set(taskId, attempt);
  }

  #resumed(lease: Lease): void {
    if (this.#living.has(lease.taskId)) this.#fail(lease, 'An agent resumes it while another has it.');
    if (this.#ended.has(lease.taskId)) this.#fail(lease, 'An agent resumes it although it has ended.');
    this.#living.set(lease.taskId, lease);
  }

  #processed(lease: Lease): void {
    const { taskId, attempt } = lease;
    const key = leaseKey(lease);
    if (this.#accepted.has(key)) this.#fail(lease, `Attempt ${attempt} is accepted twice.`);
    this.#accepted.add(key);
    if (this.#ended.has(taskId)) {
      this.#fail(lease, `The end of attempt ${attempt} is accepted although the task has ended.`);
    }
    if (this.#living.get(taskId)?.attempt === attempt) return;
    this.#fail(lease, `The end of attempt ${attempt} is accepted, but its lease is not alive.`);
  }

  #fail({ taskId }: Lease, sentence: string): never {
    throw new Violation(RULE, sentence, [this.#names.of(taskId)]);
  }
}
