/**
 * Somebody who looks at the dead letters of a simulated swarm now and then, and submits one of them again, or drops it. Two
 * of them may choose the same one.
 */
import type { RequestMessage, SessionEffect } from '@quic-swarm/client';
import type { TaskRow } from '@quic-swarm/protocol';
import type { RandomStream } from './random-stream.ts';
import type { Submission } from './submission.ts';
import type { WorldParts } from './world-parts.ts';

type AnswerMessage = Extract<SessionEffect, { type: 'answered' }>['message'];

/** What it needs of its client. */
export interface DeadLetterClient {
  readonly clientName: string;
  readonly ledger: { submit(submission: Submission): void };
  newRequestId(): number;
  request(message: RequestMessage): void;
}

/** Of so many it sees the newest. */
const ROWS_MAX = 10;

/** See the head of this file. */
export class DeadLetterUser {
  readonly #client: DeadLetterClient;
  readonly #parts: WorldParts;
  readonly #random: RandomStream;
  /** Dead letters that are to be dropped, by request. */
  readonly #drops = new Map<number, string>();

  constructor(client: DeadLetterClient, parts: WorldParts, random: RandomStream) {
    this.#client = client;
    this.#parts = parts;
    this.#random = random;
  }

  /** Asks which there are; something is done about one of them when the answer comes. */
  look(): void {
    const requestId = this.#client.newRequestId();
    const body = { requestId, view: 'deadLetters', limit: ROWS_MAX } as const;
    this.#client.request({ type: 'QueryStatus', body });
  }

  /** An answer came; false when it is for somebody else. */
  answered(requestId: number, message: AnswerMessage): boolean {
    if (message.type === 'StatusReport' && message.body.view === 'deadLetters') {
      const rows = message.body.tasks ?? [];
      if (rows.length > 0) this.#decide(this.#random.pick(rows));
      return true;
    }
    const taskId = this.#drops.get(requestId);
    if (taskId === undefined) return false;
    this.#drops.delete(requestId);
    this.#parts.observe((observer) => observer.dropAnswered?.(taskId));
    return true;
  }

  #decide(row: TaskRow): void {
    if (this.#random.chance(0.7)) this.#replay(row);
    else this.#drop(row.taskId);
  }

  #replay({ taskId, durable }: TaskRow): void {
    const dead = this.#parts.submissions.get(taskId);
    if (dead === undefined) throw new Error('Nobody has submitted this dead letter.');
    // What was used up is not asked for again, and a key was for the first submission.
    const { idempotencyKey: _key, ...terms } = dead.terms;
    const watch = this.#random.pick(['none', 'result', 'result', 'all'] as const);
    this.#client.ledger.submit({
      number: this.#parts.names.newNumber(),
      work: dead.work,
      terms: { ...terms, durable, watch },
      replayOf: taskId,
    });
  }

  #drop(taskId: string): void {
    const { names, note, observe } = this.#parts;
    const requestId = this.#client.newRequestId();
    note(`${this.#client.clientName} drops ${names.of(taskId)}`);
    this.#drops.set(requestId, taskId);
    observe((observer) => observer.dropAsked?.(taskId));
    const body = { requestId, taskId, action: 'drop' } as const;
    this.#client.request({ type: 'ControlDeadLetter', body });
  }
}
