/**
 * The tasks of earlier lives while their records are read. There may be a million, so each is kept as what it will be,
 * a Task, and not as the record that it was read from beside it: a record is there only as long as it is looked at. What
 * a task cannot hold before it goes on, since it is part of timers and leases, lies beside it; few have any of it.
 */
import { Chain } from '@quic-swarm/protocol';
import type { KeptSubmission, TaskEnd, TaskRecord } from './journal-records.ts';
import type { FoldedTasks } from './journal-fold.ts';
import type { TaskQueue } from './queue.ts';
import { imageOf } from './task-image.ts';
import { TaskIndex } from './task-index.ts';
import { createTask, needsOf, termsOf } from './task-making.ts';
import { troubleOf, type Submitter, type Task, type TaskTerms } from './task.ts';
import type { WallClock } from './wall-clock.ts';

/** What a task goes on with that it cannot hold yet; times by the clock on the wall. */
export type Pending = Pick<TaskRecord, 'releaseAtMs' | 'startByMs' | 'endByMs' | 'lease'>;

/** What tasks have in common with those of this life. */
export interface RestoringCore extends WallClock {
  readonly options: { readonly seed: number };
  readonly terms: TaskTerms;
  readonly queue: TaskQueue;
}

const NOTHING_PENDING: Pending = {
  releaseAtMs: undefined,
  startByMs: undefined,
  endByMs: undefined,
  lease: undefined,
};

/** See the head of this file. */
export class RestoredTasks implements FoldedTasks {
  /** Those of this life, when all records were read. */
  readonly index: TaskIndex;
  readonly #core: RestoringCore;
  /** As they came: until they go on, no queue has them. */
  readonly #chain = new Chain<Task>();
  readonly #terms: SharedTerms;
  readonly #submitters = new Map<string, Submitter>();
  readonly #pending = new Map<Task, Pending>();

  constructor(core: RestoringCore) {
    this.#core = core;
    this.index = new TaskIndex(core.options.seed);
    this.#terms = new SharedTerms(core.terms);
  }

  get(taskId: string): TaskRecord | undefined {
    const task = this.index.get(taskId);
    if (task === undefined) return undefined;
    return { ...imageOf(this.#core, task), ...this.pendingOf(task) };
  }

  set(taskId: string, record: TaskRecord): void {
    this.delete(taskId);
    const task = this.#create(record);
    this.index.add(task);
    this.#chain.push(task);
    const { releaseAtMs, startByMs, endByMs, lease } = record;
    if ((releaseAtMs ?? startByMs ?? endByMs ?? lease) === undefined) return;
    this.#pending.set(task, { releaseAtMs, startByMs, endByMs, lease });
  }

  delete(taskId: string): void {
    const task = this.index.get(taskId);
    if (task === undefined) return;
    this.index.delete(task);
    this.#chain.remove(task);
    this.#pending.delete(task);
  }

  pendingOf(task: Task): Pending {
    return this.#pending.get(task) ?? NOTHING_PENDING;
  }

  /** Hands all of them out, as they were accepted. */
  takeInOrder(): readonly Task[] {
    const tasks: Task[] = [];
    const orders = new Float64Array(this.#chain.size);
    let isInOrder = true;
    for (let task = this.#chain.first; task !== undefined; task = this.#chain.first) {
      this.#chain.remove(task);
      const place = tasks.push(task) - 1;
      orders[place] = task.order;
      if (place > 0 && task.order < (orders[place - 1] as number)) isInOrder = false;
    }
    return isInOrder ? tasks : sorted(tasks, orders);
  }

  #create(record: TaskRecord): Task {
    const core = this.#core;
    const { submission, order, acceptedAtMs, errors, losses, failure } = record;
    const shared = {
      needs: core.queue.shared(needsOf(submission)),
      terms: this.#terms.of(submission),
      submitter: this.#submitterOf(record.clientName),
    };
    const task = createTask(submission, shared, order, core.fromWallMs(acceptedAtMs));
    task.durability = {
      acceptedAt: 0,
      position: 0,
      isAcknowledged: record.isAcknowledged,
      returning: undefined,
      chunkCount: record.end?.chunkCount,
    };
    task.idempotency = record.idempotency;
    task.replayOf = record.replayOf;
    task.attempt = record.attempt;
    task.cancelRequested = record.cancelRequested;
    task.firstStartedAtMs = fromWall(core, record.firstStartedAtMs);
    if (errors > 0 || losses > 0 || failure !== undefined) {
      Object.assign(troubleOf(task), { errors, losses, failure });
    }
    if (record.end !== undefined) applyEnd(core, task, record.end);
    return task;
  }

  /** Those who submitted are gone; of them there is one record for each name. */
  #submitterOf(clientName: string): Submitter {
    let submitter = this.#submitters.get(clientName);
    if (submitter === undefined) {
      submitter = { connectionId: '', clientName };
      this.#submitters.set(clientName, submitter);
    }
    return submitter;
  }
}

/** By their orders. Comparing tasks themselves would look at memory all over the place, twenty times for each of a million. */
function sorted(tasks: readonly Task[], orders: Float64Array): readonly Task[] {
  const places = new Uint32Array(orders.length);
  for (let place = 0; place < places.length; place += 1) places[place] = place;
  places.sort((a, b) => (orders[a] as number) - (orders[b] as number));
  return Array.from(places, (place) => tasks[place] as Task);
}

function applyEnd(core: WallClock, task: Task, end: TaskEnd): void {
  task.state = end.state;
  task.attempt = end.attempt;
  task.agentId = end.agentId;
  task.endedAtMs = core.fromWallMs(end.endedAtMs);
  task.firstStartedAtMs = fromWall(core, end.firstStartedAtMs);
  task.computeMs = end.computeMs;
  task.result = end.payload;
  task.resultEncoding = end.payloadEncoding;
  task.resultType = end.resultType;
  // What went wrong before it succeeded is over.
  if (task.trouble !== undefined || end.failure !== undefined || end.deadLettered) {
    Object.assign(troubleOf(task), { failure: end.failure, deadLettered: end.deadLettered });
  }
}

function fromWall(core: WallClock, wallMs: number | undefined): number | undefined {
  return wallMs === undefined ? undefined : core.fromWallMs(wallMs);
}

/** Equal terms are one record for all tasks that have them, as when they were submitted. */
class SharedTerms {
  readonly #defaults: TaskTerms;
  readonly #known = new Map<string, TaskTerms>();
  /** Of the task before: those that follow each other mostly have the same, and comparing costs less than a key. */
  #last: TaskTerms;

  constructor(defaults: TaskTerms) {
    this.#defaults = defaults;
    this.#last = defaults;
    this.#known.set(JSON.stringify(defaults), defaults);
  }

  of(submission: KeptSubmission): TaskTerms {
    if (!isTreatedAs(submission, this.#last)) this.#last = this.#find(submission);
    return this.#last;
  }

  #find(submission: KeptSubmission): TaskTerms {
    const terms = termsOf(submission, this.#defaults);
    const key = JSON.stringify(terms);
    const known = this.#known.get(key);
    if (known === undefined) this.#known.set(key, terms);
    return known ?? terms;
  }
}

/** True only where both say the same of everything; a retry policy that is another object is looked at by its key. */
function isTreatedAs(submission: KeptSubmission, terms: TaskTerms): boolean {
  return (
    submission.priority === terms.priority &&
    submission.idempotent === terms.idempotent &&
    submission.startToCloseMs === terms.startToCloseMs &&
    submission.onClientLoss === terms.onClientLoss &&
    submission.fairnessKey === terms.fairnessKey &&
    submission.hedge === terms.hedge &&
    submission.retry === terms.retry
  );
}
