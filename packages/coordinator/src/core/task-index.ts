/**
 * All known tasks by their id.
 *
 * A Map with a million strings for keys looks at the memory of keys that are not meant, and writes itself anew each time
 * as many have left as a table holds, in one long pause. Here the hashes lie beside their tasks, so that a search looks
 * at hardly more than one line of memory before the task itself; who leaves makes room at once; and many small tables
 * grow each at its own time.
 */
import { InvariantError } from './invariant.ts';
import type { Task } from './task.ts';

const SEGMENTS = 256;
const SMALLEST_CAPACITY = 8;
/** Hashes have so many bits, so that they are small integers on every build of V8 and not objects of their own. */
const HASH_BITS = 30;
const SEGMENT_SHIFT = HASH_BITS - 8;

/** Open addressing with linear probing; capacities are powers of two. A place is its hash and behind it its task. */
class Segment {
  #places = freePlaces(SMALLEST_CAPACITY);
  #mask = SMALLEST_CAPACITY - 1;
  #size = 0;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  find(hash: number, taskId: string): Task | undefined {
    const places = this.#places;
    for (let place = hash & this.#mask; ; place = (place + 1) & this.#mask) {
      const found = places[place * 2];
      if (found === undefined) return undefined;
      if (found !== hash) continue;
      const task = places[place * 2 + 1] as Task;
      if (task.taskId === taskId) return task;
    }
  }

  add(task: Task): void {
    // Above two thirds the walks to a free place grow long.
    if ((this.#size + 1) * 3 > (this.#mask + 1) * 2) this.#resize((this.#mask + 1) * 2);
    this.#size += 1;
    this.#put(task);
  }

  delete(task: Task): void {
    const places = this.#places;
    let place = task.idHash & this.#mask;
    while (places[place * 2 + 1] !== task) {
      if (places[place * 2] === undefined) {
        throw new InvariantError(`task ${task.taskId} is not known`);
      }
      place = (place + 1) & this.#mask;
    }
    this.#size -= 1;
    this.#close(place);
    const capacity = this.#mask + 1;
    if (this.#size * 8 < capacity && capacity > SMALLEST_CAPACITY) this.#resize(capacity / 2);
  }

  /** Those that are there now. */
  tasks(): readonly Task[] {
    const tasks: Task[] = [];
    for (let at = 1; at < this.#places.length; at += 2) {
      const task = this.#places[at];
      if (task !== undefined) tasks.push(task as Task);
    }
    return tasks;
  }

  *[Symbol.iterator](): Generator<Task> {
    for (let at = 1; at < this.#places.length; at += 2) {
      const task = this.#places[at];
      if (task !== undefined) yield task as Task;
    }
  }

  #put(task: Task): void {
    const places = this.#places;
    let place = task.idHash & this.#mask;
    while (places[place * 2] !== undefined) place = (place + 1) & this.#mask;
    places[place * 2] = task.idHash;
    places[place * 2 + 1] = task;
  }

  /** Moves those behind a place that becomes free nearer to where they would be looked for first. */
  #close(free: number): void {
    const places = this.#places;
    const mask = this.#mask;
    let hole = free;
    for (let place = (hole + 1) & mask; ; place = (place + 1) & mask) {
      const hash = places[place * 2] as number | undefined;
      if (hash === undefined) break;
      const walked = (place - hash) & mask;
      if (walked < ((place - hole) & mask)) continue;
      places[hole * 2] = hash;
      places[hole * 2 + 1] = places[place * 2 + 1];
      hole = place;
    }
    places[hole * 2] = undefined;
    places[hole * 2 + 1] = undefined;
  }

  #resize(capacity: number): void {
    const tasks = this.tasks();
    this.#places = freePlaces(capacity);
    this.#mask = capacity - 1;
    for (const task of tasks) this.#put(task);
  }
}

/** See the head of this file. */
export class TaskIndex {
  readonly #segments: readonly Segment[] = Array.from({ length: SEGMENTS }, () => new Segment());
  readonly #seed: number;
  #size = 0;
  // A task is looked for before it is added.
  #lastId = '';
  #lastHash = 0;

  /** Without knowing the seed nobody can choose ids that all get the same hash. */
  constructor(seed: number) {
    this.#seed = seed | 0;
    this.#lastHash = hashText('', this.#seed);
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
    // An iterator for nothing costs more than looking whether there is something.
    for (const segment of this.#segments) if (!segment.isEmpty) yield* segment;
  }

  /** The same for whoever reads on later: those that come meanwhile may be left out, those that stay are not. */
  *slowly(): Generator<Task> {
    for (const segment of this.#segments) yield* segment.tasks();
  }

  #segmentOf(hash: number): Segment {
    return this.#segments[hash >>> SEGMENT_SHIFT] as Segment;
  }

  #hashOf(taskId: string): number {
    if (taskId === this.#lastId) return this.#lastHash;
    this.#lastId = taskId;
    this.#lastHash = hashText(taskId, this.#seed);
    return this.#lastHash;
  }
}

function freePlaces(count: number): (number | Task | undefined)[] {
  return Array<number | Task | undefined>(count * 2).fill(undefined);
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
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> (32 - HASH_BITS);
}
