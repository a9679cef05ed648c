/**
 * Brute-force oracles, written from the definitions without a look at the kernels: full tables, all
 * windows, no pruning. They share only the documented order of floating-point operations, so that
 * ties can be compared exactly.
 */
import * as fc from 'fast-check';

export function at(values: ArrayLike<number>, index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError(`index ${index} of ${values.length}`);
  return value;
}

/** A list of `length` times the same value. */
export function repeat(value: number, length: number): number[] {
  return Array.from({ length }, () => value);
}

export function referenceZ(values: readonly number[]): number[] {
  const first = at(values, 0);
  const shifted = values.map((value) => value - first);
  const mean = shifted.reduce((sum, value) => sum + value, 0) / values.length;
  const variance =
    shifted.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / values.length;
  const sd = Math.sqrt(variance);
  if (sd < 1e-12 * Math.max(1, Math.abs(first + mean))) return values.map(() => 0);
  return shifted.map((value) => (value - mean) / sd);
}

export function referenceDtw(a: readonly number[], b: readonly number[], band: number): number {
  const table = a.map(() => b.map(() => Infinity));
  for (let i = 0; i < a.length; i += 1) {
    for (let j = 0; j < b.length; j += 1) {
      if (Math.abs(i - j) > band) continue;
      const before = [
        i > 0 && j > 0 ? table[i - 1]?.[j - 1] : undefined,
        i > 0 ? table[i - 1]?.[j] : undefined,
        j > 0 ? table[i]?.[j - 1] : undefined,
      ].map((cost) => cost ?? Infinity);
      const best = i === 0 && j === 0 ? 0 : Math.min(...before);
      const row = table[i];
      if (row !== undefined) row[j] = best + (at(a, i) - at(b, j)) ** 2;
    }
  }
  return Math.sqrt(table.at(-1)?.at(-1) ?? NaN);
}

export function referenceLcss(
  a: readonly number[],
  b: readonly number[],
  epsilon: number,
  delta: number,
): number {
  const table = Array.from({ length: a.length + 1 }, () => repeat(0, b.length + 1));
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const match = Math.abs(at(a, i - 1) - at(b, j - 1)) <= epsilon && Math.abs(i - j) <= delta;
      const diagonal = table[i - 1]?.[j - 1] ?? 0;
      const best = Math.max(table[i - 1]?.[j] ?? 0, table[i]?.[j - 1] ?? 0);
      const row = table[i];
      if (row !== undefined) row[j] = match ? Math.max(best, diagonal + 1) : best;
    }
  }
  return table.at(-1)?.at(-1) ?? NaN;
}

export interface ReferenceSearch {
  readonly series: Float64Array;
  readonly query: Float64Array;
  readonly algorithm: 'dtw' | 'lcss';
  readonly band: number;
  readonly epsilon: number;
  readonly topK: number;
  readonly exclusionZone: number;
  readonly normalise: 'z' | 'none';
  readonly maximumDistance: number;
  readonly excludeRange: { readonly start: number; readonly end: number };
  readonly range: { readonly start: number; readonly end: number };
}

export interface ReferenceAnswer {
  readonly matches: { readonly start: number; readonly distance: number }[];
  readonly nonFiniteWindows: number;
  readonly excludedWindows: number;
  readonly flatWindows: number;
}

/** Every window's distance, then the greedy choice as it is worded. */
export function referenceSearch(search: ReferenceSearch): ReferenceAnswer {
  const m = search.query.length;
  const prepare = (window: readonly number[]): number[] =>
    search.normalise === 'z' ? referenceZ(window) : [...window];
  const query = prepare([...search.query]);
  let windows: { start: number; distance: number }[] = [];
  let nonFiniteWindows = 0;
  let excludedWindows = 0;
  let flatWindows = 0;
  for (let start = search.range.start; start < search.range.end; start += 1) {
    const rows = Array.from({ length: m }, (_, i) => start + i);
    const raw = rows.map((row) => at(search.series, row));
    if (rows.some((row) => row >= search.excludeRange.start && row < search.excludeRange.end)) {
      excludedWindows += 1;
    } else if (!raw.every((value) => Math.abs(value) <= 1e150)) {
      nonFiniteWindows += 1;
    } else {
      const window = prepare(raw);
      if (search.normalise === 'z' && window.every((value) => value === 0)) flatWindows += 1;
      const distance =
        search.algorithm === 'dtw'
          ? referenceDtw(window, query, search.band)
          : 1 - referenceLcss(window, query, search.epsilon, search.band) / m;
      windows.push({ start, distance });
    }
  }
  const matches: { start: number; distance: number }[] = [];
  while (matches.length < search.topK) {
    let best: { start: number; distance: number } | undefined;
    for (const window of windows) {
      if (window.distance > search.maximumDistance) continue;
      if (best === undefined || window.distance < best.distance) best = window;
    }
    if (best === undefined) break;
    const { start } = best;
    matches.push(best);
    windows = windows.filter(
      (window) => window.start !== start && Math.abs(window.start - start) >= search.exclusionZone,
    );
  }
  return { matches, nonFiniteWindows, excludedWindows, flatWindows };
}

/** Small finite series of many kinds: few distinct values (ties), walks, high levels, flat runs. */
export function finiteSeries(lengths: {
  minLength: number;
  maxLength: number;
}): fc.Arbitrary<number[]> {
  // Without a size, fast-check draws lists of a dozen values at most, whatever the longest may be.
  const sized = { ...lengths, size: 'max' as const };
  const grid = fc.array(fc.integer({ min: -2, max: 2 }), sized);
  const smooth = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), sized);
  const walk = smooth.map((steps) => {
    let level = 0;
    return steps.map((step) => (level += step));
  });
  const high = walk.map((values) => values.map((value) => 1e9 + value));
  const spiky = walk.map((values) =>
    values.map((value, index) => (index % 7 === 3 ? value * 1e12 : value)),
  );
  const runs = fc
    .array(fc.tuple(fc.integer({ min: -1, max: 1 }), fc.integer({ min: 1, max: 9 })), sized)
    .map((pieces) => pieces.flatMap(([value, count]) => repeat(value * 0.1, count)))
    .map((values) => values.slice(0, lengths.maxLength));
  return fc.oneof(grid, smooth, walk, high, spiky, runs);
}

/** The same with a few gaps: NaN, infinities, and values whose square overflows. */
export function gappySeries(lengths: {
  minLength: number;
  maxLength: number;
}): fc.Arbitrary<number[]> {
  const gap = fc.tuple(
    fc.integer({ min: 0, max: lengths.maxLength - 1 }),
    fc.constantFrom(NaN, Infinity, -Infinity, 1e200),
  );
  const gaps = fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(gap, { maxLength: 3 }) },
  );
  return fc.tuple(finiteSeries(lengths), gaps).map(([values, holes]) => {
    const result = [...values];
    for (const [position, value] of holes) if (position < result.length) result[position] = value;
    return result;
  });
}
