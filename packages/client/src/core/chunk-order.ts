/**
 * Puts the parts of one task's result into order. A large part travels on a stream of its own and may be overtaken by
 * small ones; after a retry all parts come a second time. So: parts are given out strictly by sequence, repeated ones
 * are dropped, and early ones wait here, within a bound.
 */

/** How many early parts may wait. */
export interface ChunkBounds {
  readonly chunksMax: number;
  readonly bytesMax: number;
}

/** The parts of one task. */
export class ChunkOrder {
  readonly #bounds: ChunkBounds;
  #next = 0;
  #count: number | undefined;
  #earlyBytes = 0;
  // Most tasks have no parts and most parts come in order, so the map is made when the first early one arrives.
  #early: Map<number, Uint8Array> | undefined;

  /** True once an early part found no room; parts are missing from then on. */
  hasOverflowed = false;

  constructor(bounds: ChunkBounds) {
    this.#bounds = bounds;
  }

  /** How many parts were given out. */
  get delivered(): number {
    return this.#next;
  }

  /** True when the number of parts is known and all were given out. */
  get isComplete(): boolean {
    return this.#count !== undefined && this.#next >= this.#count;
  }

  /** Takes a part in; gives out all that are next in order, perhaps none. */
  accept(sequence: number, payload: Uint8Array): readonly Uint8Array[] {
    if (sequence < this.#next || sequence >= (this.#count ?? Infinity)) return [];
    if (sequence > this.#next) {
      this.#keep(sequence, payload);
      return [];
    }
    const ready = [payload];
    this.#next += 1;
    for (;;) {
      const early = this.#early?.get(this.#next);
      if (early === undefined) return ready;
      this.#early?.delete(this.#next);
      this.#earlyBytes -= early.length;
      this.#next += 1;
      ready.push(early);
    }
  }

  /** Says how many parts there are in all; parts beyond are dropped. */
  finish(count: number): void {
    this.#count = count;
    for (const sequence of this.#early?.keys() ?? []) {
      if (sequence >= count) this.#early?.delete(sequence);
    }
  }

  #keep(sequence: number, payload: Uint8Array): void {
    this.#early ??= new Map();
    if (this.#early.has(sequence)) return;
    const { chunksMax, bytesMax } = this.#bounds;
    if (this.#early.size >= chunksMax || this.#earlyBytes + payload.length > bytesMax) {
      this.hasOverflowed = true;
      this.#early = undefined;
      this.#earlyBytes = 0;
      return;
    }
    this.#early.set(sequence, payload);
    this.#earlyBytes += payload.length;
  }
}
