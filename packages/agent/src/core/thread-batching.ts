/**
 * How many of the waiting tasks a thread is given at once. A hop to a thread and back costs some 50 µs on either side,
 * so tasks that take less than that should share one; a task that takes long should have its thread to itself. What a
 * task type takes is learned from the tasks that were done.
 */

/** Tasks in one batch at most: more save nothing, since the hop is already a small part of each. */
export const BATCH_TASKS_MAX = 64;

/** Bytes of all inputs in one batch at most: copying them together must stay cheaper than the hops it saves. */
export const BATCH_BYTES_MAX: number = 64 * 1024;

/** A batch is about so much work: twenty times its hop, and still not long to wait behind. */
export const BATCH_WORK_MS = 1;

/** Types that take longer than this are given one by one: their hop is less than a tenth of them. */
export const SMALL_TASK_MS = 0.5;

/** Tasks of a type that are done one by one before it counts as known. */
export const KNOWN_AFTER_TASKS = 8;

/** Weight of the newest task in the moving average. */
const WEIGHT = 1 / 8;

/** One pause of the machine says little about the type, so that no single task counts for more than this. */
const COUNTED_MS_MAX = 4;

/** What is known about the service time of a task type. */
export interface ServiceTime {
  readonly tasks: number;
  /** Exponentially weighted moving average; the plain mean while there are few tasks. */
  readonly meanMs: number;
}

/** Of a type that nobody has seen yet. */
export const UNKNOWN_SERVICE_TIME: ServiceTime = { tasks: 0, meanMs: 0 };

/** What is known after one more task took `tookMs` on its thread. */
export function withTask({ tasks, meanMs }: ServiceTime, tookMs: number): ServiceTime {
  const counted = Math.min(COUNTED_MS_MAX, Math.max(0, tookMs));
  const weight = Math.max(WEIGHT, 1 / (tasks + 1));
  return { tasks: tasks + 1, meanMs: meanMs + (counted - meanMs) * weight };
}

/** True when tasks of the type may share a hop. */
export function isSmall(serviceTime: ServiceTime): boolean {
  return isKnownUnder(serviceTime, SMALL_TASK_MS);
}

/** True when tasks of the type are known to take less than so long. */
export function isKnownUnder({ tasks, meanMs }: ServiceTime, limitMs: number): boolean {
  return tasks >= KNOWN_AFTER_TASKS && meanMs < limitMs;
}

/** A task that waits for a thread. */
export interface WaitingTask {
  readonly serviceTime: ServiceTime;
  readonly payloadBytes: number;
}

/** What a thread that is free is offered. */
export interface BatchOffer {
  /** In the order in which they should start; not empty. */
  readonly waiting: Iterable<WaitingTask>;
  readonly waitingCount: number;
  /** Threads that are free or have only small tasks; the one that is offered counts. */
  readonly threads: number;
}

/**
 * How many of the first waiting tasks the thread takes; at least 1. Small tasks only, about BATCH_WORK_MS of them, and
 * never more than the thread's share, so that no other thread is left without work.
 */
export function batchLengthOf({ waiting, waitingCount, threads }: BatchOffer): number {
  const lengthMax = Math.min(BATCH_TASKS_MAX, Math.ceil(waitingCount / Math.max(1, threads)));
  let length = 0;
  let workMs = 0;
  let bytes = 0;
  for (const { serviceTime, payloadBytes } of waiting) {
    if (length >= lengthMax || !isSmall(serviceTime)) break;
    workMs += serviceTime.meanMs;
    bytes += payloadBytes;
    if (length > 0 && (workMs > BATCH_WORK_MS || bytes > BATCH_BYTES_MAX)) break;
    length += 1;
  }
  return Math.max(1, length);
}
