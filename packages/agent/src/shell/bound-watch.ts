/** Notices when the threads of a shard have proved a lower bound, so that other agents can be told, and tells them of others'. */
import { SharedBound } from '@quic-swarm/kernels';
import { atomics } from './wait-async.ts';

/** See the head of the file. */
export class BoundWatch {
  readonly #bound: SharedBound;
  readonly #onLower: (distance: number) => void;
  #hasEnded = false;

  /** @param scratch what all shards of the task on this agent share; one that they do not use stays as it is */
  constructor(scratch: SharedArrayBuffer, onLower: (distance: number) => void) {
    this.#bound = new SharedBound(scratch);
    this.#onLower = onLower;
    void this.#watch();
  }

  /** Another agent has proved this. */
  lower(distance: number): void {
    this.#bound.lower(distance);
  }

  end(): void {
    this.#hasEnded = true;
    this.#bound.wake();
  }

  async #watch(): Promise<void> {
    const { word } = this.#bound;
    let known = Infinity;
    let seen = 0n;
    for (;;) {
      await atomics.waitAsync(word, 0, seen).value;
      if (this.#hasEnded) return;
      seen = Atomics.load(word, 0);
      const { distance } = this.#bound;
      if (distance < known) this.#onLower(distance);
      known = distance;
    }
  }
}
