/** Medians, quantiles and spreads. */

/** The value below which a share of the sorted values lies: nearest rank, so that it is a value that occurred. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const index = Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1));
  return sorted[index] ?? Number.NaN;
}

/** The middle of values in any order; the mean of the two middle ones where their number is even. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** How far values lie apart. */
export interface Spread {
  readonly min: number;
  readonly q1: number;
  readonly q3: number;
  readonly max: number;
}

/** Minimum, quartiles and maximum of values in any order. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    min: quantile(sorted, 0),
    q1: quantile(sorted, 0.25),
    q3: quantile(sorted, 0.75),
    max: quantile(sorted, 1),
  };
}

/** Samples that a share needs so that at least two lie beyond it; with fewer it would be the maximum. */
const samplesFor = (share: number): number => 2 / (1 - share);

/** p50, p99 and p999 of latencies, where there are enough of them. */
export function latencyValues(latenciesMs: readonly number[]): Record<string, number> {
  const sorted = Float64Array.from(latenciesMs).sort();
  const values: Record<string, number> = { p50: quantile(sorted, 0.5) };
  if (sorted.length >= samplesFor(0.99)) values['p99'] = quantile(sorted, 0.99);
  if (sorted.length >= samplesFor(0.999)) values['p999'] = quantile(sorted, 0.999);
  return values;
}

/** Numbers in [0, 1) that a seed decides (mulberry32), for the order of the contestants. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The values in an order that `random` decides (Fisher and Yates). */
export function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const result = [...values];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const moved = result[last] as T;
    result[last] = result[other] as T;
    result[other] = moved;
  }
  return result;
}
