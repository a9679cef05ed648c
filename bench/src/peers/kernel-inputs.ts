/** What the kernels are asked to compute: the same for every contestant, made from a seed. */

/** The kernels that are compared. */
export const KERNELS = [
  'search m=128 r=6',
  'search m=128 r=13',
  'search m=256 r=13',
  'search m=256 r=26',
  'search noise m=128 r=6',
  'search lcss m=128 delta=6',
  'search lcss m=256 delta=13',
  'search lcss noise m=128 delta=6',
  'search flat m=512',
  'dtw 1024 r=102',
  'lcss 1024 delta=102',
  'lcs 1024',
  'pearson 500×2000',
  'spearman 500×2000',
] as const;

/** The name of a kernel with its sizes. */
export type KernelName = (typeof KERNELS)[number];

/** A search for the best window. */
export interface SearchCase {
  /** Points of the query. */
  readonly m: number;
  /** In points; of a search by LCSS its delta. */
  readonly band: number;
  /** Whether the query is noise instead of a piece of the series. */
  readonly noise: boolean;
  /** By LCSS, with values matching within so many standard deviations, instead of DTW. */
  readonly epsilon?: number;
}

/** The searches for the best window. */
export const SEARCHES: Readonly<Partial<Record<KernelName, SearchCase>>> = {
  'search m=128 r=6': { m: 128, band: 6, noise: false },
  'search m=128 r=13': { m: 128, band: 13, noise: false },
  'search m=256 r=13': { m: 256, band: 13, noise: false },
  'search m=256 r=26': { m: 256, band: 26, noise: false },
  'search noise m=128 r=6': { m: 128, band: 6, noise: true },
  'search lcss m=128 delta=6': { m: 128, band: 6, noise: false, epsilon: 0.25 },
  'search lcss m=256 delta=13': { m: 256, band: 13, noise: false, epsilon: 0.25 },
  'search lcss noise m=128 delta=6': { m: 128, band: 6, noise: true, epsilon: 0.25 },
};

const SERIES_POINTS = 1_000_000;
const WARPED_POINTS = 1024;
const COLUMNS = 500;
const ROWS = 2000;
/** Symbols of the sequences whose longest common subsequence is wanted: daily returns in steps of a fifth of a per cent. */
const SYMBOLS = 16;

type Random = () => number;

function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    // mulberry32: good enough to make data with.
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

function gaussFrom(random: Random): Random {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const seriesByPoints = new Map<number, Float64Array>();

/** Prices, a million unless said otherwise: a GARCH(1, 1) process that returns to its mean. */
export function longSeries(points: number = SERIES_POINTS): Float64Array {
  const known = seriesByPoints.get(points);
  if (known !== undefined) return known;
  const gauss = gaussFrom(randomFrom(1));
  let variance = 1e-4;
  let shock = 0;
  let level = 0;
  const series = Float64Array.from({ length: points }, () => {
    variance = 1e-6 + 0.09 * shock * shock + 0.9 * variance;
    shock = Math.sqrt(variance) * gauss();
    level = level * 0.9995 + shock;
    return 100 * Math.exp(level);
  });
  seriesByPoints.set(points, series);
  return series;
}

/** A million equal prices and a query of 512 points: every window is within the distance, and all are equally far. */
export function flatSearch(): {
  series: Float64Array;
  query: Float64Array;
  maximumDistance: number;
} {
  return {
    series: new Float64Array(SERIES_POINTS).fill(100),
    query: Float64Array.from({ length: 512 }, (_, i) => Math.sin(i / 5)),
    maximumDistance: 1000,
  };
}

/** The query of a search: a distorted piece of the series, or noise, which no bound can tell from anything. */
export function queryOf(kernel: KernelName): Float64Array {
  const search = SEARCHES[kernel];
  if (search === undefined) throw new Error(`${kernel} is no search.`);
  const gauss = gaussFrom(randomFrom(search.m * 1000 + search.band));
  if (search.noise) return Float64Array.from({ length: search.m }, gauss);
  // An odd place, because a search first looks at windows of a grid.
  const start = 100_003 + search.m * 1000 + search.band * 10_000;
  return longSeries()
    .slice(start, start + search.m)
    .map((value) => value * (1 + 0.002 * gauss()));
}

/** Two noisy series to warp onto each other. */
export function warpedPair(): readonly [Float64Array, Float64Array] {
  const gauss = gaussFrom(randomFrom(2));
  const noise = (): Float64Array => Float64Array.from({ length: WARPED_POINTS }, gauss);
  return [noise(), noise()];
}

/** Two sequences of symbols. */
export function symbolPair(): readonly [Int32Array, Int32Array] {
  const random = randomFrom(3);
  const symbols = (): Int32Array =>
    Int32Array.from({ length: WARPED_POINTS }, () => Math.floor(random() * SYMBOLS));
  return [symbols(), symbols()];
}

/** Columns of random returns. */
export function returnColumns(): Float64Array[] {
  const gauss = gaussFrom(randomFrom(4));
  return Array.from({ length: COLUMNS }, () => Float64Array.from({ length: ROWS }, gauss));
}
