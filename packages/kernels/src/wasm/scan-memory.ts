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
const MEANS = 20;
const INVERSES = 24;
const STATES = 28;
const CENTRE = 32;
const REACH = 36;
const HIGH = 40;
const LOW = 44;
const QUERY = 48;
const QUERY_CENTRE = 52;
const QUERY_REACH = 56;
const WINDOW = 60;
const REMAINING = 64;
const ROW_A = 68;
const ROW_B = 72;
const LENGTH = 76;
const BAND = 80;
const NORMALISE = 84;
const REGION_LENGTH = 88;
const OFFSET = 92;
const COUNTERS = 100;
const OUTCOME = 120;
const SQUARED = 128;
const MAGNITUDE = 136;
const RECORD_BYTES = 144;

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
      [RAW, workspace.reserve(region)],
      [VALUES, workspace.reserve(region)],
      [SUMS, workspace.reserve(region + 1)],
      [SQUARES, workspace.reserve(region + 1)],
      [UNUSABLE, workspace.reserve((region + 2) / 2)],
      [MEANS, workspace.reserve(positionsMax)],
      [INVERSES, workspace.reserve(positionsMax)],
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
      [ROW_A, workspace.reserve(m + 1)],
      [ROW_B, workspace.reserve(m + 1)],
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
