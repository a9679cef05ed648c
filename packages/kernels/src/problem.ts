/**
 * The one error that every kernel raises for input that it cannot compute.
 *
 * Kernels run in worker threads, where an Error loses its class on the way back; so a reader
 * decides by {@link KernelError.type}, a plain string that survives every border, and never by
 * `instanceof` alone.
 */

/** What was wrong with the input. The strings are stable: they travel over the wire. */
export type KernelProblem =
  | 'EMPTY_SERIES'
  | 'EMPTY_QUERY'
  | 'QUERY_TOO_LONG'
  | 'QUERY_NOT_FINITE'
  | 'VALUE_NOT_FINITE'
  | 'BAND_TOO_WIDE'
  | 'BAND_TOO_NARROW'
  | 'BAD_PARAMETER'
  | 'BAD_RANGE'
  | 'LENGTH_MISMATCH'
  | 'MISSING_COLUMN'
  | 'TOO_LARGE'
  | 'HISTORY_TOO_SHORT'
  | 'UNKNOWN_ALGORITHM'
  | 'UNKNOWN_INDICATOR'
  | 'PARAMETERS_DIFFER'
  | 'CANCELLED'
  | 'WASM_UNAVAILABLE';

/**
 * Bad input or a cancelled computation. `message` says what and why with the numbers of the case,
 * `hint` says what to do about it.
 */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  /** The stable name of the problem. */
  readonly type: KernelProblem;
  /** What the caller can do, as one sentence. */
  readonly hint: string;

  constructor(type: KernelProblem, message: string, hint: string) {
    super(message);
    this.type = type;
    this.hint = hint;
  }
}
