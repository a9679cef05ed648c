/** Work that goes on while faults happen: a number of tasks is unfinished at any time, until there were enough. */
import type { SubmitOptions, SwarmClient, TaskHandle } from '@quic-swarm/client';
import { isSwarmError, type SwarmError } from '@quic-swarm/protocol';
import { pauseMs, wallMs } from './clock.ts';
import type { Ledger, LedgerRow } from './ledger.ts';
import { answerTo, type WorkInput } from './work.ts';

/** A refusal that does not say when to come back is worth another try after so long. */
const SUBMIT_AGAIN_AFTER_MS = 100;

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
  /** Whether a task that was refused is submitted again, as a user does who reads the hint. @default never */
  readonly submitsAgain?: (refusal: SwarmError) => boolean;
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
    const input: WorkInput = { number: row.number, computeMs: this.#options.computeMs() };
    try {
      const handle = await this.#accepted(row, input);
      row.acknowledgedAtMs = wallMs();
      row.taskId = handle.id;
      const outcome = await handle.outcome();
      row.ends += 1;
      row.endedAtMs = wallMs();
      row.outcome = outcome;
      row.isRight = outcome.state === 'succeeded' && outcome.result === answerTo(row.number);
    } catch (error) {
      row.error = error instanceof Error ? error : new Error(String(error));
      // Nothing more can be submitted, and the lanes would say so without end and without a pause.
      if (isSwarmError(error) && error.type === 'CLOSED') this.#isStopped = true;
    }
  }

  async #accepted(row: LedgerRow, input: WorkInput): Promise<TaskHandle<number>> {
    const { client, submitOptions, submitsAgain } = this.#options;
    const options = { submitTimeoutMs: 60_000, ...submitOptions?.(row.number) };
    for (;;) {
      try {
        return await client.submit<number, WorkInput>('chaos.work', input, options);
      } catch (error) {
        if (!isSwarmError(error) || submitsAgain?.(error) !== true) throw error;
        row.refusals.push(error);
        await pauseMs(error.retryAfterMs ?? SUBMIT_AGAIN_AFTER_MS);
      }
    }
  }
}
