/** Reads LevelDB's numbers and strings one after the other. */

/** A place in some bytes. Behind the end everything is zero and empty. */
export class ByteCursor {
  readonly #bytes: Buffer;
  offset: number;

  constructor(bytes: Buffer, offset = 0) {
    this.#bytes = bytes;
    this.offset = offset;
  }

  get isAtEnd(): boolean {
    return this.offset >= this.#bytes.length;
  }

  /** A number in groups of seven bits, the lowest first. */
  number(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.offset] ?? 0;
      this.offset += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  skip(count: number): void {
    this.offset += count;
  }

  /** Passes over a string with its length in front. */
  skipString(): void {
    this.skip(this.number());
  }
}
