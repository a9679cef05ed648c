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

/** Hears that a task is over. */
export interface EndListener {
  readonly taskOver: (mirror: TaskMirror) => void;
}

const UNHEARD: TaskProgress = { fraction: 0, state: 'queued', attempt: 0 };

/** One task as seen from here. */
export class TaskMirror {
  /** Changes once at most, when an idempotency key led to an earlier task. */
  id: string;
  /** Unknown for tasks that were attached to. */
  readonly taskType: string | undefined;
  readonly #bounds: UnreadBounds;
  #progress: TaskProgress = UNHEARD;
  #progressVersion = 0;
  /** The end as it was heard, until the outcome is first asked for: only then the result is decoded. */
  #end: TaskEvent | undefined;
  #outcome: TaskOutcome | undefined;
  #lost: SwarmError | undefined;
  #chunks: Uint8Array[] | undefined;
  #chunkBytes = 0;
  #haveChunksEnded = false;
  #chunksError: SwarmError | undefined;
  #change: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  #listeners: EndListener[] | undefined;

  constructor(id: string, taskType: string | undefined, bounds: UnreadBounds) {
    this.id = id;
    this.taskType = taskType;
    this.#bounds = bounds;
  }

  get latest(): TaskProgress {
    return this.#end === undefined ? this.#progress : progressAfter(this.#progress, this.#end);
  }

  /** Nothing will change any more. */
  get isOver(): boolean {
    return this.#end !== undefined || this.#outcome !== undefined || this.#lost !== undefined;
  }

  /** Calls back once when the task is over, perhaps now. */
  whenOver(listener: EndListener): void {
    if (this.isOver) listener.taskOver(this);
    else if (this.#listeners === undefined) this.#listeners = [listener];
    else this.#listeners.push(listener);
  }

  /** The coordinator acknowledged the task in this state. */
  accepted(state: TaskState): void {
    if (this.isOver || this.#progressVersion > 0 || isTerminal(state)) return;
    if (state !== this.#progress.state) this.#progress = { ...this.#progress, state };
  }

  /** State, progress or end. */
  changed(event: TaskEvent): void {
    if (this.isOver) return;
    if (event.kind === 'end') {
      this.#end = event;
      this.#tellOver();
    } else {
      this.#progress = progressAfter(this.#progress, event);
      this.#progressVersion += 1;
    }
    this.#notify();
  }

  /** The user cancelled it: nobody here waits for the coordinator to confirm. */
  cancelledHere(error: SwarmError): void {
    if (this.isOver) return;
    const { attempt, agentId } = this.#progress;
    this.#progress = { ...this.#progress, state: 'cancelled' };
    const times = { deadLettered: false, queueMs: 0, computeMs: 0, totalMs: 0 };
    const agent = agentId === undefined ? {} : { agentId };
    this.#outcome = { taskId: this.id, state: 'cancelled', attempt, error, ...agent, ...times };
    this.#tellOver();
    this.chunksEnded(error);
  }

  /** How it ends will not be known. */
  lost(error: SwarmError): void {
    if (this.isOver) return;
    this.#lost = error;
    this.#tellOver();
    this.chunksEnded(error);
  }

  chunksArrived(payloads: readonly Uint8Array[]): void {
    for (const payload of payloads) {
      if (this.#haveChunksEnded) return;
      this.#chunks ??= [];
      const { chunksMax, bytesMax } = this.#bounds;
      if (this.#chunks.length >= chunksMax || this.#chunkBytes + payload.length > bytesMax) {
        // Parts that nobody reads are dropped rather than kept without end; who reads later is told.
        this.#chunks = undefined;
        this.#chunkBytes = 0;
        this.#haveChunksEnded = true;
        this.#chunksError = unread(this.id, chunksMax, bytesMax);
      } else {
        this.#chunks.push(payload);
        this.#chunkBytes += payload.length;
      }
    }
    this.#notify();
  }

  chunksEnded(error: SwarmError | undefined): void {
    if (!this.#haveChunksEnded) {
      this.#haveChunksEnded = true;
      this.#chunksError = error;
    }
    this.#notify();
  }

  /** How the task ended, which must be over. Throws when that is not known or the result cannot be read. */
  outcomeNow(): TaskOutcome {
    if (this.#outcome !== undefined) return this.#outcome;
    if (this.#lost !== undefined) throw this.#lost;
    const end = this.#end;
    if (end === undefined) throw new SwarmError('INTERNAL', `Task ${this.id} is not over.`);
    this.#outcome = outcomeOf(end, this.taskType);
    // The decoded result is kept, its bytes are not.
    this.#progress = progressAfter(this.#progress, end);
    this.#end = undefined;
    return this.#outcome;
  }

  /** See `TaskHandle.outcome`. */
  async outcome(): Promise<TaskOutcome> {
    if (!this.isOver) {
      await new Promise<void>((resolve) => {
        this.whenOver({ taskOver: () => resolve() });
      });
    }
    return this.outcomeNow();
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
      const payload = this.#chunks?.shift();
      if (payload !== undefined) {
        this.#chunkBytes -= payload.length;
        yield decodeDocument(payload);
      } else if (this.#haveChunksEnded) {
        if (this.#chunksError !== undefined) throw this.#chunksError;
        return;
      } else {
        await this.#nextChange();
      }
    }
  }

  #tellOver(): void {
    const listeners = this.#listeners;
    if (listeners === undefined) return;
    this.#listeners = undefined;
    for (const listener of listeners) listener.taskOver(this);
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

/** The picture after a change. Optional fields are set afterwards, since an object that is put together by spreading parts
 *  takes several times the memory of a literal. */
function progressAfter(before: TaskProgress, event: TaskEvent): TaskProgress {
  const { state, attempt, agentId, pendingReason } = event;
  const isSameAttempt = attempt === before.attempt;
  const text = event.text ?? (isSameAttempt ? before.text : undefined);
  const fraction = event.fraction ?? (isSameAttempt ? before.fraction : 0);
  const progress: Changeable<TaskProgress> = { fraction, state, attempt };
  if (text !== undefined) progress.text = text;
  if (agentId !== undefined) progress.agentId = agentId;
  if (pendingReason !== undefined) progress.pendingReason = pendingReason;
  return progress;
}

type Changeable<T> = { -readonly [Key in keyof T]: T[Key] };

function outcomeOf(event: TaskEvent, taskType: string | undefined): TaskOutcome {
  const { taskId, state, attempt, agentId, failure } = event;
  const outcome: Changeable<TaskOutcome> = {
    taskId,
    state: isTerminal(state) ? state : 'failed',
    attempt,
    deadLettered: event.deadLettered ?? false,
    queueMs: event.queueMs ?? 0,
    computeMs: event.computeMs ?? 0,
    totalMs: event.totalMs ?? 0,
  };
  if (agentId !== undefined) outcome.agentId = agentId;
  if (outcome.state === 'succeeded') {
    if (event.payload !== undefined) outcome.result = resultOf(event, event.payload, taskType);
  } else {
    outcome.error =
      failure === undefined
        ? new SwarmError(
            'TASK_FAILED',
            `Task ${taskId} ended as ${outcome.state} without a reason.`,
          )
        : SwarmError.fromFailure(failure);
  }
  return outcome;
}

function resultOf(event: TaskEvent, payload: Uint8Array, taskType: string | undefined): unknown {
  const known = taskType ?? taskTypeOf(event.resultType);
  return known !== undefined && isBuiltInTaskType(known)
    ? decodeResult(known, payload)
    : decodeDocument(payload);
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
