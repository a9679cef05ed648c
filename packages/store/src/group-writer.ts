/**
 * Group commit. Synchronising a disk takes as long for one record as for a thousand, so while one group is being written
 * the changes that come collect into the next. One group is in flight at a time: what is durable is always a beginning of
 * what was called.
 */
import type { SwarmError } from '@quic-swarm/protocol';
import type { Engine, Operation } from './engine.ts';
import { chunkOf, type Run } from './journal/chunk.ts';
import { STATE_KEY } from './keys.ts';
import { GROUP_BYTES_MAX } from './limits.ts';
import { encodeState, type StateRecord } from './state-record.ts';

/** Something to make durable as a whole. */
export interface Change {
  /** Entries for the journal. */
  readonly run?: Run;
  /** Other things. */
  readonly operations?: readonly Operation[];
  readonly bytes: number;
  /** What holds after it. */
  readonly state: StateRecord;
  /** Called when it is durable, in the order of the changes, before its promise is fulfilled. */
  readonly onDurable?: () => void;
}

interface Waiting {
  readonly change: Change;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** See the head of this file. */
export class GroupWriter {
  readonly #engine: Engine;
  readonly #onFailed: (error: unknown) => SwarmError;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #lastSequence: number;
  #failure: SwarmError | undefined;

  /** `onFailed` is called once, with the error of the first group that could not be written; what it returns is what
   *  everybody gets who waits. */
  constructor(engine: Engine, lastSequence: number, onFailed: (error: unknown) => SwarmError) {
    this.#engine = engine;
    this.#lastSequence = lastSequence;
    this.#onFailed = onFailed;
  }

  /** The last entry that is durable. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** Resolves when the change is durable. */
  async write(change: Change): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    return new Promise<void>((resolve, reject) => {
      this.#waiting.push({ change, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    await this.#running;
  }

  /** Writes nothing more, and rejects those who wait. */
  abandon(failure: SwarmError): void {
    this.#failure ??= failure;
    for (const { reject } of this.#waiting.splice(0)) reject(failure);
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#engine.breathe();
      const group = this.#nextGroup();
      if (group.length === 0) break;
      try {
        await this.#engine.write(this.#operationsOf(group));
      } catch (error) {
        const failure = this.#onFailed(error);
        this.abandon(failure);
        for (const { reject } of group) reject(failure);
        break;
      }
      if (this.#failure !== undefined) {
        // The store ended meanwhile for another reason, and nothing is acknowledged after that.
        for (const { reject } of group) reject(this.#failure);
        break;
      }
      for (const { change, resolve } of group) {
        this.#lastSequence = change.state.lastSequence;
        change.onDurable?.();
        resolve();
      }
    }
    this.#running = undefined;
  }

  #nextGroup(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { change } of this.#waiting) {
      bytes += change.bytes;
      if (count > 0 && bytes > GROUP_BYTES_MAX) break;
      count += 1;
    }
    const group = this.#waiting;
    this.#waiting = group.splice(count);
    return group;
  }

  #operationsOf(group: readonly Waiting[]): Operation[] {
    const runs = group.flatMap(({ change: { run } }) => (run === undefined ? [] : [run]));
    const operations = group.flatMap(({ change }) => change.operations ?? []);
    const state = group.at(-1)?.change.state;
    if (runs.some(({ payloads }) => payloads.length > 0)) {
      operations.unshift(chunkOf(this.#lastSequence + 1, runs));
    }
    if (state !== undefined) operations.push({ key: STATE_KEY, value: encodeState(state) });
    return operations;
  }
}
