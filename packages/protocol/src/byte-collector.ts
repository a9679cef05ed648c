/**
 * Bytes of which the length was announced and that arrive in pieces. The buffer grows with what has arrived: an
 * announcement of 256 MiB costs nothing until they come, and a million pieces of one byte cost a million bytes.
 */

const FIRST_BYTES = 512 * 1024;

/** Collects a known number of bytes. */
export class ByteCollector {
  readonly #announced: number;
  readonly #isKept: boolean;
  #buffer: Uint8Array;
  #received = 0;

  /** @param isKept false: the bytes are counted and dropped */
  constructor(announced: number, isKept: boolean = true) {
    this.#announced = announced;
    this.#isKept = isKept;
    this.#buffer = new Uint8Array(isKept ? Math.min(announced, FIRST_BYTES) : 0);
  }

  get received(): number {
    return this.#received;
  }

  get missing(): number {
    return this.#announced - this.#received;
  }

  get isComplete(): boolean {
    return this.#received === this.#announced;
  }

  /** Whether the bytes are wanted, or only counted. */
  get isKept(): boolean {
    return this.#isKept;
  }

  /** All bytes, once they are complete. */
  get bytes(): Uint8Array {
    return this.#buffer;
  }

  /** Copies as many bytes as are missing; returns how many that were. */
  add(bytes: Uint8Array): number {
    const piece = bytes.length > this.missing ? bytes.subarray(0, this.missing) : bytes;
    const wanted = this.#received + piece.length;
    if (!this.#isKept) {
      this.#received = wanted;
      return piece.length;
    }
    if (wanted > this.#buffer.length) {
      const grown = new Uint8Array(
        Math.min(this.#announced, Math.max(wanted, this.#buffer.length * 2)),
      );
      grown.set(this.#buffer.subarray(0, this.#received));
      this.#buffer = grown;
    }
    this.#buffer.set(piece, this.#received);
    this.#received = wanted;
    return piece.length;
  }
}
