/**
 * An instance of the WebAssembly kernels with a memory of its own, from which arrays are taken one after the other and
 * given back all together. A computation borrows one workspace and is its only user.
 */

import { layoutOf, type ScanLayout } from './layout.ts';

const PAGE_BYTES = 65_536;

/** Address 0 stays unused, so that a pointer that was forgotten does not look like one that was set. */
const FIRST_ADDRESS = 64;

/** Loops take whole vectors and may touch a few values more than there are. */
const SPARE_VALUES = 4;

/** What assembly/index.ts exports. Addresses and counts are integers, all sizes in values. */
export interface KernelExports {
  loadBlock(scan: number, positions: number): void;
  comparePieces(scan: number, windows: number, step: number, pieces: number): void;
  fillEdge(edge: number, band: number): void;
  scanWindows(scan: number, from: number, to: number, bound: number): number;
  judgeDirectly(scan: number, position: number, bound: number): number;
  scanByLcss(
    scan: number,
    from: number,
    to: number,
    needed: number,
    epsilon: number,
    tubeEpsilon: number,
  ): number;
  matchDirectly(scan: number, position: number, needed: number, epsilon: number): number;
  warp(
    a: number,
    n: number,
    backwards: number,
    m: number,
    band: number,
    first: number,
    second: number,
    third: number,
  ): number;
  packColumn(column: number, index: number, count: number, rows: number, packed: number): void;
  addProducts(packed: number, count: number, rows: number, matrix: number): void;
  rankAverage(
    values: number,
    count: number,
    ranks: number,
    keys: number,
    otherKeys: number,
    places: number,
    otherPlaces: number,
    counts: number,
  ): void;
  lcsOfSymbols(symbols: number, rows: number, masks: number, columns: number, row: number): number;
  lcsOfValues(
    a: number,
    rows: number,
    b: number,
    columns: number,
    epsilon: number,
    delta: number,
    row: number,
  ): number;
}

/** See the head of the file. */
export class Workspace {
  readonly kernels: KernelExports;
  /** Where the record of a scan has what. */
  readonly layout: ScanLayout;
  readonly #memory: WebAssembly.Memory;
  #next = FIRST_ADDRESS;
  #floats: Float64Array;

  constructor(module: WebAssembly.Module) {
    this.#memory = new WebAssembly.Memory({ initial: 1 });
    const instance = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    // What the module exports is decided by assembly/index.ts, which is compiled with this file.
    this.kernels = instance.exports as unknown as KernelExports;
    this.layout = layoutOf(instance.exports);
    this.#floats = new Float64Array(this.#memory.buffer);
  }

  /**
   * Address of room for so many 64-bit floats. What lies there is left over from earlier computations.
   * @param pageOffset a multiple of 8 under 4,096: where in a page of memory the room begins
   */
  reserve(values: number, pageOffset?: number): number {
    const skipped =
      pageOffset === undefined ? 0 : (pageOffset - this.#next + 4096 * 2 ** 20) % 4096;
    const address = this.#next + skipped;
    this.#next = address + 8 * (Math.ceil(values) + SPARE_VALUES);
    if (this.#next > this.#memory.buffer.byteLength) this.#grow();
    return address;
  }

  /** Address of a copy of the values. */
  place(values: Float64Array): number {
    const address = this.reserve(values.length);
    this.write(address, values);
    return address;
  }

  /** Address of a copy of the values as 32-bit floats, with so many zeros more on either side. */
  placeRounded(values: Float64Array, margin: number = 0): number {
    const address = this.reserve(values.length / 2 + margin);
    this.clear(address, values.length / 2 + margin);
    const first = address + 4 * margin;
    new Float32Array(this.#memory.buffer, first, values.length).set(values);
    return first;
  }

  /** Writes values to an address that was reserved. */
  write(address: number, values: ArrayLike<number>): void {
    this.#floats.set(values, address / 8);
  }

  /** The value at an address. */
  read(address: number): number {
    return this.#floats[address / 8] as number;
  }

  /** `count` values from an address, as they lie there; valid until the next `reserve`. */
  viewOf(address: number, count: number): Float64Array {
    return this.#floats.subarray(address / 8, address / 8 + count);
  }

  /** A copy of `count` values from an address. */
  copyOf(address: number, count: number): Float64Array {
    return this.#floats.slice(address / 8, address / 8 + count);
  }

  /** Sets `count` values from an address to zero. */
  clear(address: number, count: number): void {
    this.#floats.fill(0, address / 8, address / 8 + count);
  }

  /** The memory as 32-bit integers; valid until the next `reserve`. */
  get integers(): Int32Array {
    return new Int32Array(this.#memory.buffer);
  }

  /** Bytes of the memory, which never shrinks. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Gives everything back. */
  reset(): void {
    this.#next = FIRST_ADDRESS;
  }

  #grow(): void {
    const { byteLength } = this.#memory.buffer;
    // Twice as much, so that many small arrays do not grow it many times.
    const wanted = Math.max(this.#next, Math.min(2 * byteLength, byteLength + 2 ** 24));
    this.#memory.grow(Math.ceil((wanted - byteLength) / PAGE_BYTES));
    this.#floats = new Float64Array(this.#memory.buffer);
  }
}
