/**
 * The record that a scan in WebAssembly works on. Where its fields are the module says itself: see assembly/layout.ts, which
 * also tells what each means.
 */
import { createTube, fillTube } from '../typescript/lower-bounds.ts';
import type { ScanLayout } from './layout.ts';
import type { QueryFrame } from './query-frame.ts';
import type { RoundingErrors } from './rounding.ts';
import type { Workspace } from './workspace.ts';
import type { PieceGrid } from '../window-cascade.ts';

/** Counters of a scan, and the fields that count them. */
const COUNTED = [
  ['prunedKim', 'PRUNED_KIM'],
  ['prunedKeoghQuery', 'PRUNED_KEOGH_QUERY'],
  ['prunedKeoghCandidate', 'PRUNED_KEOGH_CANDIDATE'],
  ['dtwComputed', 'DTW_COMPUTED'],
  ['dtwAbandoned', 'DTW_ABANDONED'],
] as const;

/** What a scan is about. */
export interface ScanShape {
  readonly query: Float64Array;
  /** Points that the tubes reach to both sides: the band, or LCSS's delta. */
  readonly band: number;
  readonly normalise: boolean;
  readonly positionsMax: number;
  readonly frame: QueryFrame;
  readonly errors: RoundingErrors;
}

/** Values, beyond the band, that loops over whole vectors may touch on either side of a series in a warping table. */
const TABLE_MARGIN = 8;

/** See the head of the file. */
export class ScanMemory {
  readonly address: number;
  readonly #workspace: Workspace;
  readonly #layout: ScanLayout;
  readonly #raw: number;
  readonly #region: number;
  readonly #integers: Int32Array;

  constructor(
    workspace: Workspace,
    { query, band, normalise, positionsMax, frame, errors }: ScanShape,
  ) {
    const m = query.length;
    const region = positionsMax + m + 2 * band;
    const { layout } = workspace;
    this.#region = region;
    this.#workspace = workspace;
    this.#layout = layout;
    this.address = workspace.reserve(layout.RECORD_BYTES / 8);
    const { reference, unit } = frame;
    const rounded = query.map((value) => (value - reference) / unit);
    const tube = createTube(m);
    fillTube(rounded, m, band, tube, new Int32Array(2 * m));
    const margin = band + TABLE_MARGIN;
    const nothing = new Float64Array(m + 1);
    // The arrays that a loop reads and writes side by side begin a quarter of a page apart: where addresses differ by
    // multiples of 4,096, processors wait for each other's stores, which takes three times as long for some lengths.
    const places: (readonly [field: number, address: number])[] = [
      [layout.RAW, workspace.reserve(region, 0)],
      [layout.VALUES, workspace.reserve(region / 2, 1024)],
      [layout.SUMS, workspace.reserve(region + 1, 2048)],
      [layout.SQUARES, workspace.reserve(region + 1, 3072)],
      [layout.UNUSABLE, workspace.reserve((region + 2) / 2)],
      [layout.MEANS, workspace.reserve(positionsMax / 2)],
      [layout.DEVIATIONS, workspace.reserve(positionsMax / 2)],
      [layout.CENTRE, workspace.reserve(region / 2)],
      [layout.REACH, workspace.reserve(region / 2)],
      [layout.HIGH, workspace.reserve(region / 2 + band)],
      [layout.LOW, workspace.reserve(region / 2 + band)],
      [layout.QUERY, workspace.place(query)],
      [layout.QUERY_BACKWARDS, workspace.place(query.toReversed())],
      [layout.ROUNDED_QUERY, workspace.placeRounded(rounded, margin)],
      [layout.ROUNDED_QUERY_BACKWARDS, workspace.placeRounded(rounded.toReversed(), margin)],
      [layout.QUERY_CENTRE, workspace.placeRounded(tube.centre)],
      [layout.QUERY_REACH, workspace.placeRounded(tube.reach)],
      [layout.WINDOW, workspace.reserve(m)],
      [layout.ROUNDED_WINDOW, workspace.placeRounded(nothing, margin)],
      [layout.ROUNDED_WINDOW_BACKWARDS, workspace.placeRounded(nothing, margin)],
      [layout.REMAINING, workspace.placeRounded(nothing, margin)],
      [layout.OUTER, workspace.reserve((band + 8) / 2)],
      [layout.INNER, workspace.reserve((band + 4) / 2)],
      [layout.INNER_EDGE, workspace.reserve((band + 4) / 2)],
      [layout.FIRST_DIAGONAL, workspace.reserve(m + 4)],
      [layout.SECOND_DIAGONAL, workspace.reserve(m + 4)],
      [layout.THIRD_DIAGONAL, workspace.reserve(m + 4)],
    ];
    this.#integers = workspace.integers;
    for (const [field, address] of places) this.#set(field, address);
    for (const [, field] of COUNTED) this.#set(layout[field], 0);
    this.#set(layout.LENGTH, m);
    this.#set(layout.BAND, band);
    this.#set(layout.NORMALISE, normalise ? 1 : 0);
    const reals = [
      [layout.QUERY_REFERENCE, reference],
      [layout.UNIT, unit],
      [layout.QUERY_ERROR, errors.queryError],
      [layout.BLOCK_ERROR, errors.blockError],
      [layout.SUM_ERROR, errors.sumError],
    ] as const;
    for (const [field, value] of reals) workspace.write(this.address + field, [value]);
    workspace.kernels.fillEdge(this.#get(layout.INNER_EDGE), band);
    this.#raw = this.#get(layout.RAW);
  }

  /** Moves the block to the windows of the series that start at first … first + count − 1. */
  loadBlock(series: Float64Array, first: number, count: number): void {
    const band = this.#get(this.#layout.BAND);
    const start = Math.max(0, first - band);
    const end = Math.min(series.length, first + count + this.#get(this.#layout.LENGTH) - 1 + band);
    const region = series.subarray(start, end);
    this.#workspace.write(this.#raw, region);
    this.#set(this.#layout.REGION_LENGTH, region.length);
    this.#set(this.#layout.OFFSET, first - start);
    this.#workspace.kernels.loadBlock(this.address, count);
  }

  /** The distances that {@link WindowScan.comparePieces} wants; they lie in the module's memory. */
  comparePieces(series: Float64Array, { first, windows, step, means }: PieceGrid): Float64Array {
    const layout = this.#layout;
    const pieces = means.length;
    const possible = Math.floor(this.#region / step) - pieces + 1;
    const count = Math.min(windows, possible);
    const region = series.subarray(first, first + (count - 1 + pieces) * step);
    this.#workspace.write(this.#raw, region);
    this.#workspace.write(this.#get(layout.WINDOW), means);
    this.#set(layout.REGION_LENGTH, region.length);
    this.#workspace.kernels.comparePieces(this.address, count, step, pieces);
    return this.#workspace.viewOf(this.#get(layout.SUMS), count);
  }

  /** What is special about the window that the last scan returned; see assembly/layout.ts. */
  get state(): number {
    return this.#get(this.#layout.STATE);
  }

  /** Why the last scan returned; see assembly/layout.ts. */
  get outcome(): number {
    return this.#get(this.#layout.OUTCOME);
  }

  /** The squared distance that it found. */
  get squared(): number {
    return this.#workspace.read(this.address + this.#layout.SQUARED);
  }

  /** How many points of the window that it found by LCSS are matched. */
  get matched(): number {
    return this.#get(this.#layout.MATCHED);
  }

  /** The largest value of the block, shifted. */
  get magnitude(): number {
    return this.#workspace.read(this.address + this.#layout.MAGNITUDE);
  }

  /** Adds what was counted since the last call to `stats`. */
  takeCounts(stats: Record<(typeof COUNTED)[number][0], number>): void {
    for (const [name, field] of COUNTED) {
      stats[name] += this.#get(this.#layout[field]);
      this.#set(this.#layout[field], 0);
    }
  }

  #get(field: number): number {
    return this.#integers[(this.address + field) / 4] as number;
  }

  #set(field: number, value: number): void {
    this.#integers[(this.address + field) / 4] = value;
  }
}
