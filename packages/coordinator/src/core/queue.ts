/**
 * Tasks that can run now, and agents that could take them.
 *
 * Tasks with equal needs (type, agent type, labels, weight) wait in one bucket, so that finding work for an agent never
 * looks at tasks it cannot do. A bucket has one lane per priority (see lane.ts); the head of a lane gains one
 * step of priority for each `priorityAgeingMs` that it has waited. A bucket also knows the agents that could take its
 * tasks at this moment, apart by whether they would begin at once. Both sides are kept up to date as things happen;
 * nothing is searched at dispatch.
 */
import { AgentSet } from './agent-set.ts';
import { hasRoomFor, isCapable, roomOf, type Agent, type Room } from './agent-record.ts';
import { InvariantError } from './invariant.ts';
import { Lane } from './lane.ts';
import { Chain, type Link } from '@quic-swarm/protocol';
import type { Task, TaskNeeds } from './task.ts';

const PRIORITIES = 5;
/** Empty buckets are kept for the next task of their kind, but not without end. */
const EMPTY_BUCKETS_MAX = 1024;

/** Tasks with equal needs, and the agents that could take one now. */
export interface Bucket extends Link<Bucket> {
  readonly key: string;
  /** What stands in the records of its tasks. */
  readonly needs: NeedsOfBucket;
  readonly lanes: readonly Lane[];
  /** Agents that would begin a task at once. */
  readonly free: AgentSet;
  /** Agents that would take one behind others. */
  readonly behind: AgentSet;
  size: number;
  /** Among those that have both tasks and agents. */
  isDispatchable: boolean;
}

/** Needs that know who waits for them. */
interface NeedsOfBucket extends TaskNeeds {
  /** Undefined once it was dropped as empty; tasks that come back are put into another one of the same key. */
  bucket: Bucket | undefined;
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
  /** In no order. A chain, since it changes with every task, and an array that becomes empty gives up its memory. */
  readonly #dispatchable = new Chain<Bucket>();
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

  /** The record that tasks with such needs share. Every task that is added must have it from here. */
  shared(needs: TaskNeeds): TaskNeeds {
    return this.#bucketFor(needs).needs;
  }

  add(task: Task): void {
    this.#put(task, 'behind all others');
  }

  /** Puts back a task that comes from an agent un-started: in front, where it was before. */
  putBack(task: Task): void {
    this.#put(task, 'in front');
  }

  #put(task: Task, place: 'in front' | 'behind all others'): void {
    let bucket = bucketOf(task);
    if (bucket === undefined) {
      bucket = this.#bucketFor(task.needs);
      task.needs = bucket.needs;
    }
    const lane = laneOf(bucket, task);
    if (place === 'in front') lane.unshift(task);
    else lane.push(task);
    task.isRunnable = true;
    bucket.size += 1;
    this.#size += 1;
    this.#note(bucket);
  }

  /** Takes a task out that is given away. */
  take(task: Task): void {
    this.#takeOut(task, 'in its turn');
  }

  /** Takes a task out before its turn. Harmless when it is not in. */
  remove(task: Task): void {
    if (task.isRunnable) this.#takeOut(task, 'before its turn');
  }

  #takeOut(task: Task, when: 'in its turn' | 'before its turn'): void {
    const bucket = bucketOf(task);
    if (bucket === undefined) throw new InvariantError(`the bucket of task ${task.taskId} is gone`);
    const lane = laneOf(bucket, task);
    if (when === 'in its turn') lane.take(task);
    else lane.remove(task);
    task.isRunnable = false;
    bucket.size -= 1;
    this.#size -= 1;
    this.#note(bucket);
  }

  /** The next task that can be given away, with the bucket whose agents could take it. Does not take it out. */
  next(nowMs: number): { task: Task; bucket: Bucket } | undefined {
    let bestTask: Task | undefined;
    let bestBucket: Bucket | undefined;
    let bestRank = Number.POSITIVE_INFINITY;
    for (let bucket = this.#dispatchable.first; bucket !== undefined; bucket = bucket.next) {
      for (const lane of bucket.lanes) {
        const task = lane.first;
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
    for (const bucket of this.#agents.get(agent)?.buckets ?? []) {
      bucket.free.forget(agent);
      bucket.behind.forget(agent);
      this.#note(bucket);
    }
    if (agent.connectionId === undefined) {
      this.#agents.delete(agent);
      return;
    }
    const buckets = [...this.#buckets.values()].filter((bucket) => isCapable(agent, bucket.needs));
    const known = { room: roomOf(agent), buckets };
    this.#agents.set(agent, known);
    for (const bucket of buckets) this.#offer(bucket, agent, known.room);
  }

  #offer(bucket: Bucket, agent: Agent, room: Room): void {
    const place = placeFor(bucket, room);
    if (place !== bucket.free) bucket.free.delete(agent);
    if (place !== bucket.behind) bucket.behind.delete(agent);
    place?.add(agent);
    this.#note(bucket);
  }

  /** Would an agent begin a task with such needs at once? */
  hasFreeAgent(needs: TaskNeeds): boolean {
    return this.#bucketFor(needs).free.size > 0;
  }

  /** Is there an agent that can do tasks with such needs, whether or not it has time? */
  isServed(needs: TaskNeeds): boolean {
    const bucket = this.#bucketFor(needs);
    for (const { buckets } of this.#agents.values()) if (buckets.includes(bucket)) return true;
    return false;
  }

  /** An agent that would begin a task with such needs at once, and is not the one named; undefined when there is none. */
  freeAgentFor(needs: TaskNeeds, otherThan: string | undefined): Agent | undefined {
    const { free } = this.#bucketFor(needs);
    for (let place = 0; place < Math.min(2, free.size); place++) {
      const agent = free.at(place);
      if (agent.agentId !== otherThan) return agent;
    }
    return undefined;
  }

  /** The tasks of a bucket in the order of their lanes. */
  *tasksOf(bucket: Bucket): Generator<Task> {
    for (const lane of bucket.lanes) yield* lane;
  }

  #rankOf(task: Task, nowMs: number): number {
    const queuedAtMs = task.requeuedAtMs ?? task.acceptedAtMs;
    return task.terms.priority - Math.floor((nowMs - queuedAtMs) / this.#priorityAgeingMs);
  }

  #bucketFor(needs: TaskNeeds): Bucket {
    const candidates = this.#withoutLabels.get(needs.taskType);
    if (candidates !== undefined && hasNoLabels(needs)) {
      for (const bucket of candidates) {
        const { agentType, mayGoAhead } = bucket.needs;
        if (agentType === needs.agentType && mayGoAhead === needs.mayGoAhead) return bucket;
      }
    }
    return this.#bucketByKey(needs);
  }

  #bucketByKey({ taskType, agentType, labels, mayGoAhead }: TaskNeeds): Bucket {
    const sorted = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    const key = JSON.stringify([agentType ?? null, taskType, mayGoAhead, ...sorted]);
    const existing = this.#buckets.get(key);
    if (existing !== undefined) return existing;
    if (this.#buckets.size >= EMPTY_BUCKETS_MAX) this.#dropEmptyBuckets();
    const needs: NeedsOfBucket = { taskType, agentType, labels, mayGoAhead, bucket: undefined };
    const bucket: Bucket = {
      key,
      needs,
      lanes: Array.from({ length: PRIORITIES }, () => new Lane()),
      free: new AgentSet(),
      behind: new AgentSet(),
      size: 0,
      isDispatchable: false,
      next: undefined,
      previous: undefined,
    };
    needs.bucket = bucket;
    for (const [agent, known] of this.#agents) {
      if (!isCapable(agent, bucket.needs)) continue;
      known.buckets = [...known.buckets, bucket];
      placeFor(bucket, known.room)?.add(agent);
    }
    this.#keep(bucket);
    return bucket;
  }

  #keep(bucket: Bucket): void {
    this.#buckets.set(bucket.key, bucket);
    if (!hasNoLabels(bucket.needs)) return;
    const others = this.#withoutLabels.get(bucket.needs.taskType) ?? [];
    this.#withoutLabels.set(bucket.needs.taskType, [...others, bucket]);
  }

  #note(bucket: Bucket): void {
    const isDispatchable = bucket.size > 0 && bucket.free.size + bucket.behind.size > 0;
    if (isDispatchable === bucket.isDispatchable) return;
    bucket.isDispatchable = isDispatchable;
    if (isDispatchable) this.#dispatchable.push(bucket);
    else this.#dispatchable.remove(bucket);
  }

  #dropEmptyBuckets(): void {
    const kept: Bucket[] = [];
    for (const bucket of this.#buckets.values()) {
      if (bucket.size > 0) kept.push(bucket);
      else bucket.needs.bucket = undefined;
    }
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
  if (!hasRoomFor(room, bucket.needs)) return undefined;
  return room === 'slot' ? bucket.free : bucket.behind;
}

/** Where a task waits; every accepted task has its needs from `shared`. */
function bucketOf({ needs }: Task): Bucket | undefined {
  return (needs as NeedsOfBucket).bucket;
}

function laneOf(bucket: Bucket, { terms }: Task): Lane {
  return bucket.lanes[terms.priority - 1] as Lane;
}

function hasNoLabels({ labels }: TaskNeeds): boolean {
  if (labels !== undefined) for (const _name in labels) return false;
  return true;
}
