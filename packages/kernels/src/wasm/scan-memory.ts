/**
 * The record that a scan in WebAssembly works on. Where its fields are the module says itself: see assembly/layout.ts, which
 * also tells what each means.
 */
import { createTube, fillTube } from '../typescript/lower-bounds.ts';
import type { ScanLayout } from './layout.ts';
import type { Workspace } from './workspace.ts';

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
}

/** See the head of the file. */
export class ScanMemory {
  readonly address: number;
  readonly #workspace: Workspace;
  readonly #layout: ScanLayout;
  readonly #raw: number;
  readonly #states: number;
  readonly #integers: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(workspace: Workspace, { query, band, normalise, positionsMax }: ScanShape) {
    const m = query.length;
    const region = positionsMax + m + 2 * band;
    const { layout } = workspace;
    this.#workspace = workspace;
    this.#layout = layout;
    this.address = workspace.reserve(layout.RECORD_BYTES / 8);
    const tube = createTube(m);
    fillTube(query, m, band, tube, new Int32Array(2 * m));
    const places: (readonly [field: number, address: number])[] = [
      // A quarter of a page apart: see assembly/layout.ts on JUDGED.
      [layout.RAW, workspace.reserve(region, 0)],
      [layout.VALUES, workspace.reserve(region, 1024)],
      [layout.SUMS, workspace.reserve(region + 1, 2048)],
      [layout.SQUARES, workspace.reserve(region + 1, 3072)],
      [layout.UNUSABLE, workspace.reserve((region + 2) / 2)],
      [layout.JUDGED, workspace.reserve(3 * (positionsMax + 1))],
      [layout.STATES, workspace.reserve(positionsMax / 8)],
      [layout.CENTRE, workspace.reserve(region)],
      [layout.REACH, workspace.reserve(region)],
      [layout.HIGH, workspace.reserve(region + 2 * band)],
      [layout.LOW, workspace.reserve(region + 2 * band)],
      [layout.QUERY, workspace.place(query)],
      [layout.QUERY_CENTRE, workspace.place(tube.centre)],
      [layout.QUERY_REACH, workspace.place(tube.reach)],
      [layout.WINDOW, workspace.reserve(m)],
      [layout.REMAINING, workspace.reserve(m + 1)],
      [layout.QUERY_BACKWARDS, workspace.place(query.toReversed())],
      [layout.WINDOW_BACKWARDS, workspace.reserve(m)],
      [layout.FIRST_DIAGONAL, workspace.reserve(m + 4)],
      [layout.SECOND_DIAGONAL, workspace.reserve(m + 4)],
      [layout.THIRD_DIAGONAL, workspace.reserve(m + 4)],
    ];
    this.#integers = workspace.integers;
    this.#bytes = workspace.bytes;
    for (const [field, address] of places) this.#set(field, address);
    for (const [, field] of COUNTED) this.#set(layout[field], 0);
    this.#set(layout.LENGTH, m);
    this.#set(layout.BAND, band);
    this.#set(layout.NORMALISE, normalise ? 1 : 0);
    this.#raw = this.#get(layout.RAW);
    this.#states = this.#get(layout.STATES);
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

  /** The state of the window, see assembly/layout.ts, of a position of the block. */
  stateOf(position: number): number {
    return this.#bytes[this.#states + position] as number;
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
