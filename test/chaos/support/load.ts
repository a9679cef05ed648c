/** Work that goes on while faults happen: a number of tasks is unfinished at any time, until there were enough. */
import type { SubmitOptions, SwarmClient } from '@quic-swarm/client';
import { wallMs } from './clock.ts';
import type { Ledger, LedgerRow } from './ledger.ts';
import { answerTo, type WorkInput } from './work.ts';

/** Options of {@link Load}. */
export interface LoadOptions {
  readonly client: SwarmClient;
  readonly ledger: Ledger;
  /** Tasks that are unfinished at the same time. */
  readonly concurrency: number;
  /** How long a task computes. */
  readonly computeMs: () => number;
  /** Stops by itself after so many. @default Infinity */
  readonly tasksMax?: number;
  /** Of the task with this number. */
  readonly submitOptions?: (number: number) => SubmitOptions;
  /** The number of the first task. @default 0 */
  readonly firstNumber?: number;
}

/** See the head of this file. Runs from its construction. */
export class Load {
  /** Settles when all that was submitted has ended. Never rejects. */
  readonly over: Promise<void>;
  readonly #options: LoadOptions;
  readonly #endNumber: number;
  #nextNumber: number;
  #isStopped = false;
  #isOver = false;

  constructor(options: LoadOptions) {
    const { concurrency, firstNumber = 0, tasksMax = Infinity } = options;
    this.#options = options;
    this.#nextNumber = firstNumber;
    this.#endNumber = firstNumber + tasksMax;
    this.over = Promise.all(Array.from({ length: concurrency }, async () => this.#lane())).then(
      () => {
        this.#isOver = true;
      },
    );
  }

  /** All that was submitted has ended, and nothing more is. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Submits nothing more; resolves when what was submitted has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.over;
  }

  async #lane(): Promise<void> {
    while (!this.#isStopped && this.#nextNumber < this.#endNumber) {
      const number = this.#nextNumber;
      this.#nextNumber += 1;
      await this.#work(this.#options.ledger.add(number, wallMs()));
    }
  }

  async #work(row: LedgerRow): Promise<void> {
    const { client, computeMs, submitOptions } = this.#options;
    const input: WorkInput = { number: row.number, computeMs: computeMs() };
    try {
      const options = { submitTimeoutMs: 60_000, ...submitOptions?.(row.number) };
      const handle = await client.submit<number, WorkInput>('chaos.work', input, options);
      row.acknowledgedAtMs = wallMs();
      row.taskId = handle.id;
      const outcome = await handle.outcome();
      row.ends += 1;
      row.endedAtMs = wallMs();
      row.outcome = outcome;
      row.isRight = outcome.state === 'succeeded' && outcome.result === answerTo(row.number);
    } catch (error) {
      row.error = error instanceof Error ? error : new Error(String(error));
    }
  }
}
