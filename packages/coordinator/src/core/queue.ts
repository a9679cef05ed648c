/**
 * Tasks that can run now, and agents that could take them.
 *
 * Tasks with equal needs (type, agent type, labels) wait in one bucket, so that finding work for an agent never
 * looks at tasks it cannot do. A bucket has one first-in-first-out lane per priority; the head of a lane gains one
 * step of priority for each `priorityAgeingMs` that it has waited. A bucket also knows the agents that could take its
 * tasks at this moment, apart by whether they would begin at once. Both sides are kept up to date as things happen;
 * nothing is searched at dispatch.
 */
import type { AgentType } from '@quic-swarm/protocol';
import { AgentSet } from './agent-set.ts';
import { hasRoomFor, isCapable, roomOf, type Agent, type Room } from './agent-record.ts';
import { InvariantError } from './invariant.ts';
import { mayGoAhead, type LaneEntry, type Task } from './task.ts';

const PRIORITIES = 5;
/** Empty buckets are kept for the next task of their kind, but not without end. */
const EMPTY_BUCKETS_MAX = 1024;
/** Places that are made in front of a lane at once for tasks that come back: an agent returns some hundred at most. */
const FRONT_PLACES = 256;

/**
 * First in, first out; tasks that leave before their turn leave an empty place, and those are cleared away in time.
 * Tasks that come back un-started take their place in front again.
 */
class Lane {
  #entries: LaneEntry[] = [];
  #head = 0;
  #empty = 0;

  push(task: Task): LaneEntry {
    const entry = { task };
    this.#entries.push(entry);
    return entry;
  }

  /** Puts a task in front of all others. */
  unshift(task: Task): LaneEntry {
    const entry = { task };
    if (this.#head === 0) {
      const places = Array.from({ length: FRONT_PLACES }, (): LaneEntry => ({ task: undefined }));
      this.#entries = [...places, ...this.#entries];
      this.#head = FRONT_PLACES;
    }
    this.#head -= 1;
    this.#entries[this.#head] = entry;
    return entry;
  }

  /** The first task. */
  peek(): Task | undefined {
    for (; this.#head < this.#entries.length; this.#head++) {
      const task = this.#entries[this.#head]?.task;
      if (task !== undefined) return task;
      this.#empty -= 1;
    }
    this.#entries = [];
    this.#head = 0;
    this.#empty = 0;
    return undefined;
  }

  remove(entry: LaneEntry): void {
    entry.task = undefined;
    this.#empty += 1;
    // In large steps: clearing away costs as much as there is, and so happens once for as many removals.
    const waste = this.#head + this.#empty;
    if (waste > 4096 && waste * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head).filter(({ task }) => task !== undefined);
      this.#head = 0;
      this.#empty = 0;
    }
  }

  *[Symbol.iterator](): Generator<Task> {
    for (let i = this.#head; i < this.#entries.length; i++) {
      const task = this.#entries[i]?.task;
      if (task !== undefined) yield task;
    }
  }
}

/** Tasks with equal needs, and the agents that could take one now. */
export interface Bucket {
  readonly key: string;
  readonly taskType: string;
  readonly agentType: AgentType | undefined;
  readonly labels: Readonly<Record<string, string>> | undefined;
  /** The tasks are light enough to lie at an agent that takes more than it can begin soon. */
  readonly mayGoAhead: boolean;
  readonly lanes: readonly Lane[];
  /** Agents that would begin a task at once. */
  readonly free: AgentSet;
  /** Agents that would take one behind others. */
  readonly behind: AgentSet;
  size: number;
  /** Among those that have both tasks and agents. */
  isDispatchable: boolean;
}

/** What the queue knows of a connected agent. */
interface KnownAgent {
  /** When last looked at. */
  room: Room;
  /** Those whose tasks it could do. */
  buckets: readonly Bucket[];
}

/** All runnable tasks. */
export class TaskQueue {
  readonly #buckets = new Map<string, Bucket>();
  /** Buckets without labels by task type: most tasks have none, and making their key for each costs more than all the rest. */
  #withoutLabels = new Map<string, Bucket[]>();
  /** In no order. A list, since most of the time it has one entry or none, and changes with every task. */
  readonly #dispatchable: Bucket[] = [];
  readonly #agents = new Map<Agent, KnownAgent>();
  readonly #priorityAgeingMs: number;
  #size = 0;

  constructor(priorityAgeingMs: number) {
    this.#priorityAgeingMs = priorityAgeingMs;
  }

  /** Tasks in all buckets. */
  get size(): number {
    return this.#size;
  }

  get buckets(): Iterable<Bucket> {
    return this.#buckets.values();
  }

  add(task: Task): void {
    this.#put(task, (lane) => lane.push(task));
  }

  /** Puts back a task that comes from an agent un-started: in front, where it was before. */
  putBack(task: Task): void {
    this.#put(task, (lane) => lane.unshift(task));
  }

  #put(task: Task, into: (lane: Lane) => LaneEntry): void {
    const bucket = this.#bucketFor(task);
    task.bucketKey = bucket.key;
    task.laneEntry = into(bucket.lanes[task.priority - 1] as Lane);
    bucket.size += 1;
    this.#size += 1;
    this.#note(bucket);
  }

  /** Takes a task out before its turn. Harmless when it is not in. */
  remove(task: Task): void {
    if (task.laneEntry === undefined) return;
    const bucket = this.#buckets.get(task.bucketKey);
    if (bucket === undefined) throw new InvariantError(`bucket ${task.bucketKey} is gone`);
    (bucket.lanes[task.priority - 1] as Lane).remove(task.laneEntry);
    task.laneEntry = undefined;
    bucket.size -= 1;
    this.#size -= 1;
    this.#note(bucket);
  }

  /** The next task that can be given away, with the bucket whose agents could take it. Does not take it out. */
  next(nowMs: number): { task: Task; bucket: Bucket } | undefined {
    let bestTask: Task | undefined;
    let bestBucket: Bucket | undefined;
    let bestRank = Number.POSITIVE_INFINITY;
    for (const bucket of this.#dispatchable) {
      for (const lane of bucket.lanes) {
        const task = lane.peek();
        if (task === undefined) continue;
        const rank = this.#rankOf(task, nowMs);
        if (
          bestTask === undefined ||
          rank < bestRank ||
          (rank === bestRank && task.order < bestTask.order)
        ) {
          bestTask = task;
          bestBucket = bucket;
          bestRank = rank;
        }
      }
    }
    if (bestTask === undefined || bestBucket === undefined) return undefined;
    return { task: bestTask, bucket: bestBucket };
  }

  /** Call whenever an agent may have become able or unable to take one more task. Cheap when it has not. */
  availabilityChanged(agent: Agent): void {
    const known = this.#agents.get(agent);
    if (known === undefined) return;
    const room = roomOf(agent);
    if (known.room === room) return;
    known.room = room;
    for (const bucket of known.buckets) this.#offer(bucket, agent, room);
  }

  /** Call when an agent came, went, or can do other things than before. */
  capabilitiesChanged(agent: Agent): void {
    for (const bucket of this.#agents.get(agent)?.buckets ?? []) this.#offer(bucket, agent, 'none');
    if (agent.connectionId === undefined) {
      this.#agents.delete(agent);
      return;
    }
    const buckets = [...this.#buckets.values()].filter((bucket) => isCapable(agent, bucket));
    const known = { room: roomOf(agent), buckets };
    this.#agents.set(agent, known);
    for (const bucket of buckets) this.#offer(bucket, agent, known.room);
  }

  #offer(bucket: Bucket, agent: Agent, room: Room): void {
    const place = placeFor(bucket, room);
    for (const agents of [bucket.free, bucket.behind]) {
      if (agents === place) agents.add(agent);
      else agents.delete(agent);
    }
    this.#note(bucket);
  }

  /** The tasks of a bucket in the order of their lanes. */
  *tasksOf(bucket: Bucket): Generator<Task> {
    for (const lane of bucket.lanes) yield* lane;
  }

  #rankOf(task: Task, nowMs: number): number {
    return task.priority - Math.floor((nowMs - task.queuedAtMs) / this.#priorityAgeingMs);
  }

  #bucketFor(task: Task): Bucket {
    const candidates = this.#withoutLabels.get(task.taskType);
    if (candidates !== undefined && hasNoLabels(task)) {
      const isLight = mayGoAhead(task);
      for (const bucket of candidates) {
        if (bucket.agentType === task.agentType && bucket.mayGoAhead === isLight) return bucket;
      }
    }
    return this.#bucketByKey(task);
  }

  #bucketByKey(task: Task): Bucket {
    const labels = Object.entries(task.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    const isLight = mayGoAhead(task);
    const key = JSON.stringify([task.agentType ?? null, task.taskType, isLight, ...labels]);
    const existing = this.#buckets.get(key);
    if (existing !== undefined) return existing;
    if (this.#buckets.size >= EMPTY_BUCKETS_MAX) this.#dropEmptyBuckets();
    const bucket: Bucket = {
      key,
      taskType: task.taskType,
      agentType: task.agentType,
      labels: task.labels,
      mayGoAhead: isLight,
      lanes: Array.from({ length: PRIORITIES }, () => new Lane()),
      free: new AgentSet(),
      behind: new AgentSet(),
      size: 0,
      isDispatchable: false,
    };
    for (const [agent, known] of this.#agents) {
      if (!isCapable(agent, bucket)) continue;
      known.buckets = [...known.buckets, bucket];
      placeFor(bucket, known.room)?.add(agent);
    }
    this.#keep(bucket);
    return bucket;
  }

  #keep(bucket: Bucket): void {
    this.#buckets.set(bucket.key, bucket);
    if (!hasNoLabels(bucket)) return;
    const others = this.#withoutLabels.get(bucket.taskType) ?? [];
    this.#withoutLabels.set(bucket.taskType, [...others, bucket]);
  }

  #note(bucket: Bucket): void {
    const isDispatchable = bucket.size > 0 && bucket.free.size + bucket.behind.size > 0;
    if (isDispatchable === bucket.isDispatchable) return;
    bucket.isDispatchable = isDispatchable;
    if (isDispatchable) this.#dispatchable.push(bucket);
    else this.#dispatchable.splice(this.#dispatchable.indexOf(bucket), 1);
  }

  #dropEmptyBuckets(): void {
    const kept = [...this.#buckets.values()].filter(({ size }) => size > 0);
    this.#buckets.clear();
    this.#withoutLabels = new Map();
    for (const bucket of kept) this.#keep(bucket);
    for (const known of this.#agents.values()) {
      known.buckets = known.buckets.filter(({ size }) => size > 0);
    }
  }
}

/** Where among the agents of a bucket one with this room is; undefined: nowhere. */
function placeFor(bucket: Bucket, room: Room): AgentSet | undefined {
  if (!hasRoomFor(room, bucket)) return undefined;
  return room === 'slot' ? bucket.free : bucket.behind;
}

function hasNoLabels({ labels }: { readonly labels: Bucket['labels'] }): boolean {
  if (labels !== undefined) for (const _name in labels) return false;
  return true;
}
