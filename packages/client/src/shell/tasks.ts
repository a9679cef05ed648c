/** Submitting tasks, attaching to them, cancelling them. */
import { SwarmError, type SubmitAck, type WatchLevel, checkMessage } from '@quic-swarm/protocol';
import type { AnswerMessage, RequestMessage } from '../core/events.ts';
import { newTaskId } from '../task-id.ts';
import { AbortFanOut } from './abort-fan-out.ts';
import type { Driver } from './driver.ts';
import type { CancelOptions, SubmitOptions } from './options.ts';
import { submissionOf } from './submission.ts';
import { TaskHandle } from './task-handle.ts';
import type { TaskMirror } from './task-mirror.ts';

const SUBMIT_TIMEOUT_MS = 5000;

/** The tasks of one client. */
export class Tasks {
  readonly #driver: Driver;
  readonly #requestTimeoutMs: number;
  readonly #aborts = new AbortFanOut();

  constructor(driver: Driver, requestTimeoutMs: number) {
    this.#driver = driver;
    this.#requestTimeoutMs = requestTimeoutMs;
  }

  /** See `SwarmClient.submit`. */
  async submit(taskType: string, input: unknown, options: SubmitOptions): Promise<TaskHandle> {
    const { signal, submitTimeoutMs = SUBMIT_TIMEOUT_MS, watch = 'result' } = options;
    if (signal?.aborted === true) throw aborted(signal);
    const requestId = this.#driver.newRequestId();
    const mirror = this.#driver.newMirror(newTaskId(), taskType);
    const message = submissionOf(taskType, input, options, {
      requestId,
      taskId: mirror.id,
      payloadBytesMax: this.#driver.connection?.ack.grants.payloadBytesMax ?? Infinity,
    });
    if (watch !== 'none') this.#driver.register(mirror);
    return new Promise((resolve, reject) => {
      const release = this.#cancelOnAbort(mirror, requestId, signal, reject);
      const answered = (ack: SubmitAck): void => {
        // An idempotency key may have led to a task that is shown by another mirror already.
        const shown = this.#driver.mirrorOf(ack.taskId) ?? mirror;
        if (shown === mirror) {
          mirror.id = ack.taskId;
        } else {
          release();
          this.#cancelOnAbort(shown, requestId, signal, reject);
        }
        shown.accepted(ack.state);
        resolve(this.#handleOf(shown, watch));
      };
      const refused = (error: SwarmError): void => {
        release();
        mirror.lost(error);
        reject(error);
      };
      this.#askForTask(message, submitTimeoutMs, answered, refused);
    });
  }

  /** See `SwarmClient.attach`. */
  async attach(taskId: string): Promise<TaskHandle> {
    const known = this.#driver.mirrorOf(taskId);
    if (known !== undefined) return this.#handleOf(known, 'result');
    const mirror = this.#driver.newMirror(taskId, undefined);
    return new Promise((resolve, reject) => {
      this.#watch(
        mirror,
        () => {
          resolve(this.#handleOf(mirror, 'result'));
        },
        reject,
      );
    });
  }

  /** See `SwarmClient.cancel`. */
  async cancel(taskId: string, options: CancelOptions): Promise<void> {
    const { reason = 'The client asked for it.', graceMs = 1000 } = options;
    const requestId = this.#driver.newRequestId();
    const message = { type: 'CancelTask', body: { requestId, taskId, reason, graceMs } } as const;
    checkMessage(message, 'BAD_OPTION');
    await this.#driver.request('MessageAck', message, this.#requestTimeoutMs);
  }

  #handleOf(mirror: TaskMirror, watch: WatchLevel): TaskHandle {
    let shown = mirror;
    let isWatched = watch !== 'none';
    return new TaskHandle({
      get mirror(): TaskMirror {
        return shown;
      },
      watched: () => {
        if (isWatched) return shown;
        isWatched = true;
        shown = this.#driver.mirrorOf(mirror.id) ?? mirror;
        if (shown === mirror && !mirror.isOver) this.#watch(mirror);
        return shown;
      },
      cancel: async (options) => this.cancel(mirror.id, options),
    });
  }

  /** Makes the coordinator talk about a task. */
  #watch(
    mirror: TaskMirror,
    onAnswered: () => void = () => {},
    onRefused: (error: SwarmError) => void = () => {},
  ): void {
    const requestId = this.#driver.newRequestId();
    const body = { requestId, taskId: mirror.id, watch: 'result' } as const;
    const message = { type: 'WatchTask', body } as const;
    checkMessage(message, 'BAD_OPTION');
    this.#driver.register(mirror);
    const answered = (ack: SubmitAck): void => {
      mirror.accepted(ack.state);
      onAnswered();
    };
    const refused = (error: SwarmError): void => {
      mirror.lost(error);
      onRefused(error);
    };
    this.#askForTask(message, this.#requestTimeoutMs, answered, refused);
  }

  #askForTask(
    message: RequestMessage,
    timeoutMs: number,
    onAck: (ack: SubmitAck) => void,
    refused: (error: SwarmError) => void,
  ): void {
    const answered = (answer: AnswerMessage): void => {
      if (answer.type === 'SubmitAck') onAck(answer.body);
      else
        refused(new SwarmError('BAD_MESSAGE', `${message.type} was answered by ${answer.type}.`));
    };
    this.#driver.ask(message, timeoutMs, { answered, refused });
  }

  /** Until the task is over. Returns how to stop listening before. */
  #cancelOnAbort(
    mirror: TaskMirror,
    requestId: number,
    signal: AbortSignal | undefined,
    reject: (error: SwarmError) => void,
  ): () => void {
    if (signal === undefined) return () => {};
    const release = this.#aborts.listen(signal, () => {
      const error = aborted(signal);
      this.#driver.abandon(mirror.id, requestId, error.message);
      mirror.cancelledHere(error);
      // Without effect once the submission was acknowledged.
      reject(error);
    });
    mirror.whenOver(release);
    return release;
  }
}

function aborted(signal: AbortSignal): SwarmError {
  return new SwarmError('TASK_CANCELLED', 'The signal of the submission was raised.', {
    cause: signal.reason,
  });
}
