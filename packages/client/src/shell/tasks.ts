/** Submitting tasks, attaching to them, cancelling them; and submitting again, or dropping, those that failed for good. */
import { SwarmError, checkMessage, type WatchLevel } from '@quic-swarm/protocol';
import type { AnswerMessage } from '../core/events.ts';
import type { RowsOf } from '../positions.ts';
import { newTaskId } from '../task-id.ts';
import { AbortFanOut } from './abort-fan-out.ts';
import type { Driver } from './driver.ts';
import type { AttachOptions, CancelOptions, ReplayOptions, SubmitOptions } from './options.ts';
import { submissionOf } from './submission.ts';
import { SubmitRequest, aborted, type Submitter } from './submit-request.ts';
import { TaskHandle } from './task-handle.ts';
import type { EndListener, TaskMirror } from './task-mirror.ts';

const SUBMIT_TIMEOUT_MS = 5000;

/** The tasks of one client. */
export class Tasks {
  readonly #driver: Driver;
  readonly #requestTimeoutMs: number;
  readonly #rowsOf: RowsOf;
  readonly #aborts = new AbortFanOut();
  /** Those that the coordinator has not answered yet, by the task. */
  readonly #attaching = new Map<string, Promise<TaskHandle>>();

  constructor(driver: Driver, requestTimeoutMs: number, rowsOf: RowsOf) {
    this.#driver = driver;
    this.#rowsOf = rowsOf;
    this.#requestTimeoutMs = requestTimeoutMs;
  }

  /** See `SwarmClient.submit`. */
  submit(taskType: string, input: unknown, options: SubmitOptions): Promise<TaskHandle> {
    const { watch = 'result' } = options;
    return new Promise((resolve, reject) => {
      this.start(taskType, input, options, {
        taskAccepted: (mirror) => {
          resolve(this.#handleOf(mirror, watch));
        },
        taskRefused: reject,
      });
    });
  }

  /** See `SwarmClient.run`. */
  run(taskType: string, input: unknown, options: SubmitOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.start(taskType, input, heard(options), new Run(resolve, reject));
    });
  }

  /**
   * Submits a task for somebody inside this client, who is told exactly once how the coordinator answered, perhaps before
   * this returns. Throws, and tells nothing, when the submission is not valid or its signal is raised already.
   */
  start(taskType: string, input: unknown, options: SubmitOptions, submitter: Submitter): void {
    const { signal, submitTimeoutMs = SUBMIT_TIMEOUT_MS, watch = 'result' } = options;
    if (signal?.aborted === true) throw aborted(signal);
    const requestId = this.#driver.newRequestId();
    const mirror = this.#driver.newMirror(newTaskId(), taskType);
    const message = submissionOf(taskType, input, options, {
      requestId,
      taskId: mirror.id,
      payloadBytesMax: this.#driver.connection?.ack.grants.payloadBytesMax ?? Infinity,
      rowsOf: this.#rowsOf,
      isLearning: this.#driver.offers('learning'),
    });
    if (watch !== 'none') this.#driver.register(mirror);
    const request = new SubmitRequest(this.#driver, requestId, mirror, submitter);
    if (signal !== undefined) request.cancelOnAbort(signal, this.#aborts);
    this.#driver.ask(message, submitTimeoutMs, request);
  }

  /** See `SwarmClient.attach`. */
  async attach(taskId: string, { watch = 'result' }: AttachOptions): Promise<TaskHandle> {
    if ((watch as WatchLevel) === 'none') {
      throw new SwarmError('BAD_OPTION', 'Whoever attaches to a task hears of it: watch is none.');
    }
    const attaching = this.#attaching.get(taskId);
    if (attaching !== undefined) return attaching;
    const known = this.#driver.mirrorOf(taskId);
    if (known !== undefined) return this.#handleOf(known, watch);
    const mirror = this.#driver.newMirror(taskId, undefined);
    const attached = new Promise<TaskHandle>((resolve, reject) => {
      const answered = (): void => {
        resolve(this.#handleOf(mirror, watch));
      };
      this.#watch(mirror, watch, answered, reject);
    }).finally(() => {
      this.#attaching.delete(taskId);
    });
    this.#attaching.set(taskId, attached);
    return attached;
  }

  /** See `SwarmClient.cancel`. */
  async cancel(taskId: string, options: CancelOptions): Promise<void> {
    const { reason = 'The client asked for it.', graceMs = 1000 } = options;
    const requestId = this.#driver.newRequestId();
    const message = { type: 'CancelTask', body: { requestId, taskId, reason, graceMs } } as const;
    checkMessage(message, 'BAD_OPTION');
    await this.#driver.request('MessageAck', message, this.#requestTimeoutMs);
  }

  /** See `SwarmClient.replayDeadLetter`. */
  replay(taskId: string, { watch = 'result' }: ReplayOptions): Promise<TaskHandle> {
    return new Promise((resolve, reject) => {
      const requestId = this.#driver.newRequestId();
      // The coordinator knows the type of the task; of a built-in one the end says how to read the result.
      const mirror = this.#driver.newMirror(newTaskId(), undefined);
      const body = { requestId, taskId, action: 'replay', replayId: mirror.id, watch } as const;
      const message = { type: 'ControlDeadLetter', body } as const;
      checkMessage(message, 'BAD_OPTION');
      if (watch !== 'none') this.#driver.register(mirror);
      const submitter: Submitter = {
        taskAccepted: (shown) => {
          resolve(this.#handleOf(shown, watch));
        },
        taskRefused: reject,
      };
      const request = new SubmitRequest(this.#driver, requestId, mirror, submitter);
      this.#driver.ask(message, SUBMIT_TIMEOUT_MS, request);
    });
  }

  /** See `SwarmClient.dropDeadLetter`. */
  async drop(taskId: string): Promise<void> {
    const requestId = this.#driver.newRequestId();
    const body = { requestId, taskId, action: 'drop' } as const;
    const message = { type: 'ControlDeadLetter', body } as const;
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
        if (shown === mirror && !mirror.isOver) this.#watch(mirror, 'result');
        return shown;
      },
      cancel: async (options) => this.cancel(mirror.id, options),
    });
  }

  /** Makes the coordinator talk about a task. */
  #watch(
    mirror: TaskMirror,
    watch: NonNullable<AttachOptions['watch']>,
    onAnswered: () => void = () => {},
    onRefused: (error: SwarmError) => void = () => {},
  ): void {
    const requestId = this.#driver.newRequestId();
    const body = { requestId, taskId: mirror.id, watch };
    const message = { type: 'WatchTask', body } as const;
    checkMessage(message, 'BAD_OPTION');
    this.#driver.register(mirror);
    const refused = (error: SwarmError): void => {
      mirror.lost(error);
      onRefused(error);
    };
    const answered = (answer: AnswerMessage): void => {
      if (answer.type !== 'SubmitAck') {
        refused(new SwarmError('BAD_MESSAGE', `WatchTask was answered by ${answer.type}.`));
        return;
      }
      mirror.accepted(answer.body.state);
      onAnswered();
    };
    this.#driver.ask(message, this.#requestTimeoutMs, { answered, refused });
  }
}

/** The same options for somebody who waits for the end from the beginning. */
export function heard(options: SubmitOptions): SubmitOptions {
  return options.watch === 'none' ? { ...options, watch: 'result' } : options;
}

/** Settles the promise of `run`: with the refusal, or with what the accepted task ends with. */
class Run implements Submitter, EndListener {
  readonly #resolve: (result: unknown) => void;
  readonly #reject: (error: unknown) => void;

  constructor(resolve: (result: unknown) => void, reject: (error: unknown) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  taskAccepted(mirror: TaskMirror): void {
    mirror.whenOver(this);
  }

  taskRefused(error: SwarmError): void {
    this.#reject(error);
  }

  taskOver(mirror: TaskMirror): void {
    try {
      const { state, result, error } = mirror.outcomeNow();
      if (state === 'succeeded') this.#resolve(result);
      else this.#reject(error);
    } catch (error) {
      this.#reject(error);
    }
  }
}
