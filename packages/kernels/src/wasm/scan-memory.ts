/**
 * The record that a scan in WebAssembly works on. Offsets are those of assembly/layout.ts, which says what each means.
 */
import { createTube, fillTube } from '../lower-bounds.ts';
import type { Workspace } from './workspace.ts';

const RAW = 0;
const VALUES = 4;
const SUMS = 8;
const SQUARES = 12;
const UNUSABLE = 16;
const JUDGED = 20;
const STATES = 24;
const CENTRE = 32;
const REACH = 36;
const HIGH = 40;
const LOW = 44;
const QUERY = 48;
const QUERY_CENTRE = 52;
const QUERY_REACH = 56;
const WINDOW = 60;
const REMAINING = 64;
const FIRST_DIAGONAL = 68;
const SECOND_DIAGONAL = 72;
const THIRD_DIAGONAL = 28;
const LENGTH = 76;
const BAND = 80;
const NORMALISE = 84;
const REGION_LENGTH = 88;
const OFFSET = 92;
const COUNTERS = 100;
const OUTCOME = 120;
const SQUARED = 128;
const MAGNITUDE = 136;
const QUERY_BACKWARDS = 144;
const WINDOW_BACKWARDS = 148;
const RECORD_BYTES = 152;

/** Counters of a scan, by their place behind each other. */
const COUNTED = [
  'prunedKim',
  'prunedKeoghQuery',
  'prunedKeoghCandidate',
  'dtwComputed',
  'dtwAbandoned',
] as const;

/** What a scan is about. */
export interface ScanShape {
  readonly query: Float64Array;
  readonly band: number;
  readonly normalise: boolean;
  readonly positionsMax: number;
}

/** See the head of the file. */
export class ScanMemory {
  readonly address: number;
  readonly #workspace: Workspace;
  readonly #raw: number;
  readonly #states: number;
  readonly #integers: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(workspace: Workspace, { query, band, normalise, positionsMax }: ScanShape) {
    const m = query.length;
    const region = positionsMax + m + 2 * band;
    this.#workspace = workspace;
    this.address = workspace.reserve(RECORD_BYTES / 8);
    const tube = createTube(m);
    fillTube(query, m, band, tube, new Int32Array(2 * m));
    const places: (readonly [field: number, address: number])[] = [
      // A quarter of a page apart: see assembly/layout.ts on JUDGED.
      [RAW, workspace.reserve(region, 0)],
      [VALUES, workspace.reserve(region, 1024)],
      [SUMS, workspace.reserve(region + 1, 2048)],
      [SQUARES, workspace.reserve(region + 1, 3072)],
      [UNUSABLE, workspace.reserve((region + 2) / 2)],
      [JUDGED, workspace.reserve(3 * (positionsMax + 1))],
      [STATES, workspace.reserve(positionsMax / 8)],
      [CENTRE, workspace.reserve(region)],
      [REACH, workspace.reserve(region)],
      [HIGH, workspace.reserve(region + 2 * band)],
      [LOW, workspace.reserve(region + 2 * band)],
      [QUERY, workspace.place(query)],
      [QUERY_CENTRE, workspace.place(tube.centre)],
      [QUERY_REACH, workspace.place(tube.reach)],
      [WINDOW, workspace.reserve(m)],
      [REMAINING, workspace.reserve(m + 1)],
      [QUERY_BACKWARDS, workspace.place(query.toReversed())],
      [WINDOW_BACKWARDS, workspace.reserve(m)],
      [FIRST_DIAGONAL, workspace.reserve(m + 4)],
      [SECOND_DIAGONAL, workspace.reserve(m + 4)],
      [THIRD_DIAGONAL, workspace.reserve(m + 4)],
    ];
    this.#integers = workspace.integers;
    this.#bytes = workspace.bytes;
    for (const [field, address] of places) this.#set(field, address);
    for (const [index] of COUNTED.entries()) this.#set(COUNTERS + 4 * index, 0);
    this.#set(LENGTH, m);
    this.#set(BAND, band);
    this.#set(NORMALISE, normalise ? 1 : 0);
    this.#raw = this.#get(RAW);
    this.#states = this.#get(STATES);
  }

  /** The region of the series that the next block covers; its first window starts at `offset` in it. */
  loadRegion(region: Float64Array, offset: number): void {
    this.#workspace.write(this.#raw, region);
    this.#set(REGION_LENGTH, region.length);
    this.#set(OFFSET, offset);
  }

  /** One of WINDOW, of a position of the block. */
  stateOf(position: number): number {
    return this.#bytes[this.#states + position] as number;
  }

  /** Why the last scan returned; see assembly/scan.ts. */
  get outcome(): number {
    return this.#get(OUTCOME);
  }

  /** The squared distance that it found. */
  get squared(): number {
    return this.#workspace.read(this.address + SQUARED);
  }

  /** The largest value of the block, shifted. */
  get magnitude(): number {
    return this.#workspace.read(this.address + MAGNITUDE);
  }

  /** Adds what was counted since the last call to `stats`. */
  takeCounts(stats: Record<(typeof COUNTED)[number], number>): void {
    for (const [index, name] of COUNTED.entries()) {
      stats[name] += this.#get(COUNTERS + 4 * index);
      this.#set(COUNTERS + 4 * index, 0);
    }
  }

  #get(field: number): number {
    return this.#integers[(this.address + field) / 4] as number;
  }

  #set(field: number, value: number): void {
    this.#integers[(this.address + field) / 4] = value;
  }
}
