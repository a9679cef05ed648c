/** Splitting a run of rows or window positions into shards for several workers or agents. */
import { requireInteger } from './check.ts';

/** A half-open run of indices: start ≤ index < end. */
export interface IndexRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Splits 0 … length into `shards` contiguous ranges whose sizes differ by at most one, larger ones
 * first. With fewer items than shards the last ranges are empty.
 *
 * @throws KernelError BAD_PARAMETER when length is not an integer ≥ 0 or shards not an integer ≥ 1
 */
export function splitRange(length: number, shards: number): IndexRange[] {
  requireInteger('length', length, 0);
  requireInteger('shards', shards, 1, 2 ** 20);
  const size = Math.floor(length / shards);
  const larger = length % shards;
  const ranges: IndexRange[] = [];
  let start = 0;
  for (let shard = 0; shard < shards; shard += 1) {
    const end = start + size + (shard < larger ? 1 : 0);
    ranges.push({ start, end });
    start = end;
  }
  return ranges;
}
