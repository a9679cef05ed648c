/**
 * What the threads that share the parts of one run have in common: which part belongs to whom. A thread takes a part by
 * changing its cell, so no part is done twice, and what a helper leaves undone can be taken by another.
 */

/** Cells of 4 bytes before the parts. */
const HEADER_CELLS = 2;
/** 1 when the run is over and nobody should go on. */
const CLOSED = 0;
/** Parts that are done, for progress. */
const FINISHED = 1;

const FREE = 0;

/** The thread whose run it is, among the owners of parts; helpers count from 1. */
const HOST = -1;

/** One team's memory, the same on all sides. */
export class TeamMemory {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer);
  }

  /** New memory for so many parts. */
  static of(parts: number): TeamMemory {
    return new TeamMemory(new SharedArrayBuffer((HEADER_CELLS + parts) * 4));
  }

  get parts(): number {
    return this.#cells.length - HEADER_CELLS;
  }

  get isClosed(): boolean {
    return Atomics.load(this.#cells, CLOSED) === 1;
  }

  /** Tells all helpers to stop. */
  close(): void {
    Atomics.store(this.#cells, CLOSED, 1);
  }

  /** True when somebody could take a part. */
  get hasFreeParts(): boolean {
    if (this.isClosed) return false;
    for (let part = 0; part < this.parts; part += 1) if (this.#owner(part) === FREE) return true;
    return false;
  }

  /** Takes the first free part; undefined when there is none. */
  take(owner: number = HOST): number | undefined {
    if (this.isClosed) return undefined;
    for (let part = 0; part < this.parts; part += 1) {
      if (this.#owner(part) !== FREE) continue;
      const cell = HEADER_CELLS + part;
      if (Atomics.compareExchange(this.#cells, cell, FREE, owner) === FREE) return part;
    }
    return undefined;
  }

  /** Lets go of a part that was taken and not done. */
  giveBack(part: number): void {
    Atomics.store(this.#cells, HEADER_CELLS + part, FREE);
  }

  /** The parts that an owner has taken. */
  takenBy(owner: number): number[] {
    return Array.from({ length: this.parts }, (_, part) => part).filter(
      (part) => this.#owner(part) === owner,
    );
  }

  /** A part is done. */
  finishOne(): void {
    Atomics.add(this.#cells, FINISHED, 1);
  }

  get finished(): number {
    return Atomics.load(this.#cells, FINISHED);
  }

  #owner(part: number): number {
    return Atomics.load(this.#cells, HEADER_CELLS + part);
  }
}
