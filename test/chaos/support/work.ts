/** The tasks of a run and their right results, which their handlers compute and their client compares. */

/** A task that takes some time. */
export interface WorkInput {
  readonly number: number;
  readonly computeMs: number;
}

/** A task that sends parts of its result ahead. */
export interface StreamInput {
  readonly number: number;
  readonly parts: number;
  /** Floating point numbers of each part. */
  readonly numbers: number;
}

/** A task that ends its agent's process or its worker thread. */
export interface PoisonInput {
  readonly number: number;
  readonly kills: 'process' | 'thread';
}

/** A part that `chaos.stream` emits. */
export interface StreamPart {
  readonly part: number;
  readonly values: Float64Array;
}

/** The result of `chaos.work`. */
export function answerTo(number: number): number {
  return Math.imul(number ^ 0x5bd1e995, 0x9e3779b1) >>> 0;
}

/** Numbers that differ from those of every other start, with all bits of their fractions in use. */
export function valuesOf(number: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, index) => answerTo(number + index) / 3);
}

/** Whether the values are those numbers, to the last bit. */
export function areValuesOf(number: number, count: number, values: unknown): boolean {
  if (!(values instanceof Float64Array) || values.length !== count) return false;
  return values.every((value, index) => value === answerTo(number + index) / 3);
}
