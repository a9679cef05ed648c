/** What a user holds of a task. */
import type { PendingReason, TaskState } from '@quic-swarm/protocol';
import type { SwarmError } from '@quic-swarm/protocol';
import type { CancelOptions } from './options.ts';
import type { TaskMirror, TaskOutcome, TaskProgress } from './task-mirror.ts';

/** Where a handle looks. */
export interface TaskSource {
  /** The picture of the task as it is. */
  readonly mirror: TaskMirror;
  /** The picture of the task, which hears from the coordinator from now on if it did not before. */
  watched(): TaskMirror;
  cancel(options: CancelOptions): Promise<void>;
}

/**
 * One accepted task. Handles cost nothing to drop: the task goes on, and nothing is thrown anywhere when it fails
 * without anybody having asked. Several handles of one task see the same.
 */
export class TaskHandle<Result = unknown> {
  readonly #source: TaskSource;

  /** Made by `submit` and `attach`. */
  constructor(source: TaskSource) {
    this.#source = source;
  }

  get #mirror(): TaskMirror {
    return this.#source.mirror;
  }

  /** The task's id. With an idempotency key it may be that of an earlier submission. */
  get id(): string {
    return this.#mirror.id;
  }

  /** The state heard of last. Between acceptance and the end only watch level `all` keeps it up to date. */
  get state(): TaskState {
    return this.#mirror.latest.state;
  }

  /** Why the task is not running, as heard last; needs watch level `all`. */
  get pendingReason(): PendingReason | undefined {
    return this.#mirror.latest.pendingReason;
  }

  /** The agent that has or had the task, as heard last. */
  get agentId(): string | undefined {
    return this.#mirror.latest.agentId;
  }

  /** The attempt heard of last, 0 before the first start. */
  get attempt(): number {
    return this.#mirror.latest.attempt;
  }

  /**
   * The result. May be awaited as often as wanted, also after the end.
   * @throws the error of the task (its `type`, `message`, `hint` and `remoteStack` as the handler threw it);
   *   TASK_CANCELLED; CONNECTION_LOST when the outcome cannot be known; CLOSED when the client was closed before
   */
  async result(): Promise<Result> {
    const { state, result, error } = await this.outcome();
    if (state === 'succeeded') return result as Result;
    throw error as SwarmError;
  }

  /**
   * How the task ended, with the times it took. Resolves for failed and cancelled tasks too.
   * @throws CONNECTION_LOST and CLOSED when the outcome cannot be known
   */
  async outcome(): Promise<TaskOutcome<Result>> {
    return (await this.#source.watched().outcome()) as TaskOutcome<Result>;
  }

  /**
   * How far the task is, until it ends. A slow reader sees only the newest; nothing is kept. Never throws for a failed
   * task.
   */
  progress(): AsyncGenerator<TaskProgress, void, undefined> {
    return this.#source.watched().progress();
  }

  /**
   * The parts of the result that the handler emits while it runs, in order and each once, also when the task is
   * retried. Ends when all are read. A part is read once: loops after each other continue, loops beside each other
   * share.
   * @throws the error of the task when it fails; CONNECTION_LOST when parts were lost with a connection;
   *   PAYLOAD_TOO_LARGE when too many were not read in time
   */
  chunks<Chunk = unknown>(): AsyncGenerator<Chunk, void, undefined> {
    return this.#source.watched().chunks() as AsyncGenerator<Chunk, void, undefined>;
  }

  /**
   * Asks for the task to be cancelled; resolves when the coordinator has noted it. The end follows by itself: then
   * `result` rejects with TASK_CANCELLED, unless the task finished first. Does nothing when it has ended. Idempotent.
   */
  async cancel(options: string | CancelOptions = {}): Promise<void> {
    if (this.#mirror.isOver) return;
    const { reason, graceMs } = typeof options === 'string' ? { reason: options } : options;
    await this.#source.cancel({ reason, graceMs });
  }
}
