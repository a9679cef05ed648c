/**
 * All known tasks by their id.
 *
 * A Map with a million strings for keys costs more than all the decisions: to find a place it looks at the memory of
 * keys that are not meant, and it writes itself anew each time as many have left as a table holds, in one long pause.
 * Here the hashes lie side by side, so that a search looks at hardly more than one line of memory before the task
 * itself; who leaves makes room at once; and many small tables grow each at its own time.
 */
import { InvariantError } from './invariant.ts';
import type { Task } from './task.ts';

const SEGMENTS = 256;
const SMALLEST_CAPACITY = 8;
/** In the table of hashes: nothing is here. */
const FREE = 0;

/** Open addressing with linear probing; capacities are powers of two. */
class Segment {
  #hashes = new Int32Array(SMALLEST_CAPACITY);
  #tasks = freePlaces(SMALLEST_CAPACITY);
  #size = 0;

  find(hash: number, taskId: string): Task | undefined {
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    for (let place = hash & mask; hashes[place] !== FREE; place = (place + 1) & mask) {
      if (hashes[place] !== hash) continue;
      const task = this.#tasks[place];
      if (task?.taskId === taskId) return task;
    }
    return undefined;
  }

  add(task: Task): void {
    // Above two thirds the walks to a free place grow long.
    if ((this.#size + 1) * 3 > this.#hashes.length * 2) this.#resize(this.#hashes.length * 2);
    this.#size += 1;
    this.#put(task);
  }

  delete(task: Task): void {
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    let place = task.idHash & mask;
    while (this.#tasks[place] !== task) {
      if (hashes[place] === FREE) throw new InvariantError(`task ${task.taskId} is not known`);
      place = (place + 1) & mask;
    }
    this.#size -= 1;
    this.#close(place);
    if (this.#size * 8 < hashes.length && hashes.length > SMALLEST_CAPACITY) {
      this.#resize(hashes.length / 2);
    }
  }

  *[Symbol.iterator](): Generator<Task> {
    for (const task of this.#tasks) if (task !== undefined) yield task;
  }

  #put(task: Task): void {
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    let place = task.idHash & mask;
    while (hashes[place] !== FREE) place = (place + 1) & mask;
    hashes[place] = task.idHash;
    this.#tasks[place] = task;
  }

  /** Moves those behind a place that becomes free nearer to where they would be looked for first. */
  #close(free: number): void {
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    let hole = free;
    for (let place = (hole + 1) & mask; hashes[place] !== FREE; place = (place + 1) & mask) {
      const hash = hashes[place] as number;
      const walked = (place - hash) & mask;
      if (walked < ((place - hole) & mask)) continue;
      hashes[hole] = hash;
      this.#tasks[hole] = this.#tasks[place];
      hole = place;
    }
    hashes[hole] = FREE;
    this.#tasks[hole] = undefined;
  }

  #resize(capacity: number): void {
    const tasks = this.#tasks;
    this.#hashes = new Int32Array(capacity);
    this.#tasks = freePlaces(capacity);
    for (const task of tasks) if (task !== undefined) this.#put(task);
  }
}

/** See the head of this file. */
export class TaskIndex {
  readonly #segments: readonly Segment[] = Array.from({ length: SEGMENTS }, () => new Segment());
  readonly #seed: number;
  #size = 0;
  // A task is looked for before it is added, and started before it ends.
  #lastId = '';
  #lastHash = 1;

  /** Without knowing the seed nobody can choose ids that all get the same hash. */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  get size(): number {
    return this.#size;
  }

  get(taskId: string): Task | undefined {
    const hash = this.#hashOf(taskId);
    return this.#segmentOf(hash).find(hash, taskId);
  }

  /** The task must not be known yet. */
  add(task: Task): void {
    task.idHash = this.#hashOf(task.taskId);
    this.#segmentOf(task.idHash).add(task);
    this.#size += 1;
  }

  /** The task must be known. */
  delete(task: Task): void {
    this.#segmentOf(task.idHash).delete(task);
    this.#size -= 1;
  }

  /** All tasks in no order. */
  *values(): Generator<Task> {
    for (const segment of this.#segments) yield* segment;
  }

  #segmentOf(hash: number): Segment {
    return this.#segments[hash >>> 24] as Segment;
  }

  #hashOf(taskId: string): number {
    if (taskId === this.#lastId) return this.#lastHash;
    const hash = hashText(taskId, this.#seed);
    this.#lastId = taskId;
    this.#lastHash = hash === FREE ? 1 : hash;
    return this.#lastHash;
  }
}

function freePlaces(count: number): (Task | undefined)[] {
  return Array.from<Task | undefined>({ length: count }).fill(undefined);
}

/** Four characters at a time, with the steps and the end of MurmurHash3 (Appleby); all characters of an id are ASCII. */
function hashText(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i += 4) {
    const four =
      text.charCodeAt(i) |
      (text.charCodeAt(i + 1) << 8) |
      (text.charCodeAt(i + 2) << 16) |
      (text.charCodeAt(i + 3) << 24);
    const mixed = Math.imul(four, 0xcc9e2d51);
    hash ^= Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
