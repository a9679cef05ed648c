/**
 * This process's picture of one task: what the coordinator said about it last, and who waits to hear more. All handles
 * of a task share it. Promises are made only when somebody asks, so a task that nobody asks about can fail without
 * an unhandled rejection.
 */
import {
  SwarmError,
  TASK_DOCUMENTS,
  decodeDocument,
  decodeResult,
  isBuiltInTaskType,
  isTerminal,
  type BuiltInTaskType,
  type PendingReason,
  type TaskEvent,
  type TaskState,
  type TerminalTaskState,
} from '@quic-swarm/protocol';

/** How far a task is. */
export interface TaskProgress {
  /** From 0 to 1; 0 before the handler first said anything. */
  readonly fraction: number;
  /** What the handler said beside it. */
  readonly text?: string;
  readonly state: TaskState;
  /** 0 before the first start. */
  readonly attempt: number;
  readonly agentId?: string;
  /** Why a queued task is not running. */
  readonly pendingReason?: PendingReason;
}

/** How a task ended. */
export interface TaskOutcome<Result = unknown> {
  readonly taskId: string;
  readonly state: TerminalTaskState;
  /** The attempt that ended it; 0 when it was never started. */
  readonly attempt: number;
  readonly agentId?: string;
  /** Present when it succeeded. */
  readonly result?: Result;
  /** Present when it did not. */
  readonly error?: SwarmError;
  /** All attempts were used up; the coordinator lists the task as a dead letter. */
  readonly deadLettered: boolean;
  /** From acceptance to the first start; 0 where the coordinator does not say. */
  readonly queueMs: number;
  /** Time in the handler. */
  readonly computeMs: number;
  /** From acceptance to the end. */
  readonly totalMs: number;
}

/** How many parts of a result may wait to be read. */
export interface UnreadBounds {
  readonly chunksMax: number;
  readonly bytesMax: number;
}

/** One task as seen from here. */
export class TaskMirror {
  /** Changes once at most, when an idempotency key led to an earlier task. */
  id: string;
  /** Unknown for tasks that were attached to. */
  readonly taskType: string | undefined;
  readonly #bounds: UnreadBounds;
  #progress: TaskProgress;
  #progressVersion = 0;
  /** Decodes the result when it is first asked for, and keeps it. */
  #outcome: (() => TaskOutcome) | undefined;
  #lost: SwarmError | undefined;
  #chunks: Uint8Array[] = [];
  #chunkBytes = 0;
  #chunksEnd: { readonly error: SwarmError | undefined } | undefined;
  #change: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  #onEnd: (() => void)[] = [];

  constructor(id: string, taskType: string | undefined, bounds: UnreadBounds) {
    this.id = id;
    this.taskType = taskType;
    this.#bounds = bounds;
    this.#progress = { fraction: 0, state: 'queued', attempt: 0 };
  }

  get latest(): TaskProgress {
    return this.#progress;
  }

  /** Nothing will change any more. */
  get isOver(): boolean {
    return this.#outcome !== undefined || this.#lost !== undefined;
  }

  /** Calls back once when the task is over, perhaps now. */
  whenOver(callback: () => void): void {
    if (this.isOver) callback();
    else this.#onEnd.push(callback);
  }

  /** The coordinator acknowledged the task in this state. */
  accepted(state: TaskState): void {
    if (!this.isOver && this.#progressVersion === 0 && !isTerminal(state)) {
      this.#progress = { ...this.#progress, state };
    }
  }

  /** State, progress or end. */
  changed(event: TaskEvent): void {
    if (this.isOver) return;
    const { state, attempt, agentId, pendingReason, kind } = event;
    const isSameAttempt = attempt === this.#progress.attempt;
    const text = event.text ?? (isSameAttempt ? this.#progress.text : undefined);
    this.#progress = {
      fraction: event.fraction ?? (isSameAttempt ? this.#progress.fraction : 0),
      state,
      attempt,
      ...(text === undefined ? {} : { text }),
      ...(agentId === undefined ? {} : { agentId }),
      ...(pendingReason === undefined ? {} : { pendingReason }),
    };
    if (kind === 'end') this.#end(() => outcomeOf(event, this.taskType));
    else this.#progressVersion += 1;
    this.#notify();
  }

  /** The user cancelled it: nobody here waits for the coordinator to confirm. */
  cancelledHere(error: SwarmError): void {
    if (this.isOver) return;
    const { attempt, agentId } = this.#progress;
    this.#progress = { ...this.#progress, state: 'cancelled' };
    const times = { deadLettered: false, queueMs: 0, computeMs: 0, totalMs: 0 };
    const agent = agentId === undefined ? {} : { agentId };
    const taskId = this.id;
    this.#end(() => ({ taskId, state: 'cancelled', attempt, error, ...agent, ...times }));
    this.chunksEnded(error);
  }

  /** How it ends will not be known. */
  lost(error: SwarmError): void {
    if (this.isOver) return;
    this.#lost = error;
    this.#callEnded();
    this.chunksEnded(error);
  }

  chunksArrived(payloads: readonly Uint8Array[]): void {
    for (const payload of payloads) {
      if (this.#chunksEnd !== undefined) return;
      const { chunksMax, bytesMax } = this.#bounds;
      if (this.#chunks.length >= chunksMax || this.#chunkBytes + payload.length > bytesMax) {
        // Parts that nobody reads are dropped rather than kept without end; who reads later is told.
        this.#chunks = [];
        this.#chunkBytes = 0;
        this.#chunksEnd = { error: unread(this.id, chunksMax, bytesMax) };
      } else {
        this.#chunks.push(payload);
        this.#chunkBytes += payload.length;
      }
    }
    this.#notify();
  }

  chunksEnded(error: SwarmError | undefined): void {
    this.#chunksEnd ??= { error };
    this.#notify();
  }

  /** See `TaskHandle.outcome`. */
  async outcome(): Promise<TaskOutcome> {
    for (;;) {
      if (this.#outcome !== undefined) return this.#outcome();
      if (this.#lost !== undefined) throw this.#lost;
      await this.#nextChange();
    }
  }

  /** See `TaskHandle.progress`. */
  async *progress(): AsyncGenerator<TaskProgress, void, undefined> {
    let seen = 0;
    for (;;) {
      if (this.#progressVersion > seen) {
        seen = this.#progressVersion;
        yield this.#progress;
      } else if (this.isOver) {
        return;
      } else {
        await this.#nextChange();
      }
    }
  }

  /** See `TaskHandle.chunks`. */
  async *chunks(): AsyncGenerator<unknown, void, undefined> {
    for (;;) {
      const payload = this.#chunks.shift();
      if (payload !== undefined) {
        this.#chunkBytes -= payload.length;
        yield decodeDocument(payload);
      } else if (this.#chunksEnd !== undefined) {
        if (this.#chunksEnd.error !== undefined) throw this.#chunksEnd.error;
        return;
      } else {
        await this.#nextChange();
      }
    }
  }

  #end(outcomeOnce: () => TaskOutcome): void {
    this.#outcome = () => {
      const outcome = outcomeOnce();
      this.#outcome = () => outcome;
      return outcome;
    };
    this.#callEnded();
  }

  #callEnded(): void {
    const callbacks = this.#onEnd;
    this.#onEnd = [];
    for (const callback of callbacks) callback();
  }

  async #nextChange(): Promise<void> {
    if (this.#change === undefined) {
      let resolve = (): void => {};
      const promise = new Promise<void>((settle) => {
        resolve = settle;
      });
      this.#change = { promise, resolve };
    }
    await this.#change.promise;
  }

  #notify(): void {
    const change = this.#change;
    this.#change = undefined;
    change?.resolve();
  }
}

function outcomeOf(event: TaskEvent, taskType: string | undefined): TaskOutcome {
  const { taskId, state, attempt, agentId, failure } = event;
  const ending = isTerminal(state) ? state : 'failed';
  const common = {
    taskId,
    attempt,
    ...(agentId === undefined ? {} : { agentId }),
    deadLettered: event.deadLettered ?? false,
    queueMs: event.queueMs ?? 0,
    computeMs: event.computeMs ?? 0,
    totalMs: event.totalMs ?? 0,
  };
  if (ending === 'succeeded') {
    return { ...common, state: ending, ...resultOf(event, taskType) };
  }
  const error =
    failure === undefined
      ? new SwarmError('TASK_FAILED', `Task ${taskId} ended as ${ending} without a reason.`)
      : SwarmError.fromFailure(failure);
  return { ...common, state: ending, error };
}

function resultOf(event: TaskEvent, taskType: string | undefined): { result?: unknown } {
  const { payload, resultType } = event;
  if (payload === undefined) return {};
  const known = taskType ?? taskTypeOf(resultType);
  if (known !== undefined && isBuiltInTaskType(known))
    return { result: decodeResult(known, payload) };
  return { result: decodeDocument(payload) };
}

/** The built-in task type that answers with this document. */
function taskTypeOf(resultType: string | undefined): BuiltInTaskType | undefined {
  const rows = Object.entries(TASK_DOCUMENTS) as [BuiltInTaskType, { resultType: string }][];
  return rows.find(([, row]) => row.resultType === resultType)?.[0];
}

function unread(taskId: string, chunksMax: number, bytesMax: number): SwarmError {
  return new SwarmError(
    'PAYLOAD_TOO_LARGE',
    `More than ${chunksMax} parts (or ${bytesMax} bytes) of the result of task ${taskId} were not read in time.`,
    {
      hint: 'Read chunks() while the task runs, or raise unreadChunksMax and unreadChunkBytesMax.',
    },
  );
}
