/**
 * One submission, or replay of a dead letter, from the request until its task is over: tells who made it how the coordinator answered, and cancels
 * the task when its signal is raised. One object instead of a handful of functions, since there is one for each task.
 */
import { SwarmError } from '@quic-swarm/protocol';
import type { AnswerMessage } from '../core/events.ts';
import type { AbortFanOut, AbortListener } from './abort-fan-out.ts';
import type { Asker, Driver } from './driver.ts';
import type { EndListener, TaskMirror } from './task-mirror.ts';

/** Who made a submission; exactly one of its functions is called, once. */
export interface Submitter {
  /** The task is shown by this mirror, which knew it already when an idempotency key led to an earlier task. */
  readonly taskAccepted: (mirror: TaskMirror) => void;
  readonly taskRefused: (error: SwarmError) => void;
}

/** See the head of this file. */
export class SubmitRequest implements Asker, AbortListener, EndListener {
  readonly #driver: Driver;
  readonly #requestId: number;
  #mirror: TaskMirror;
  readonly #submitter: Submitter;
  #isAnswered = false;
  #signal: AbortSignal | undefined;
  #aborts: AbortFanOut | undefined;

  /** @param mirror shows the task, unless the answer names another one */
  constructor(driver: Driver, requestId: number, mirror: TaskMirror, submitter: Submitter) {
    this.#driver = driver;
    this.#requestId = requestId;
    this.#mirror = mirror;
    this.#submitter = submitter;
  }

  /** Cancels the task when the signal, which must not be raised yet, is raised before the task is over. */
  cancelOnAbort(signal: AbortSignal, aborts: AbortFanOut): void {
    this.#signal = signal;
    this.#aborts = aborts;
    aborts.listen(signal, this);
    this.#mirror.whenOver(this);
  }

  answered(message: AnswerMessage): void {
    if (message.type !== 'SubmitAck') {
      this.refused(wrongAnswer(message.type));
      return;
    }
    const { taskId, state } = message.body;
    this.#isAnswered = true;
    // An idempotency key may have led to a task that is shown by another mirror already.
    const shown = this.#driver.mirrorOf(taskId) ?? this.#mirror;
    if (shown === this.#mirror) {
      shown.id = taskId;
    } else {
      this.#mirror = shown;
      if (this.#signal !== undefined) shown.whenOver(this);
    }
    shown.accepted(state);
    this.#submitter.taskAccepted(shown);
  }

  refused(error: SwarmError): void {
    this.#isAnswered = true;
    this.#release();
    this.#mirror.lost(error);
    this.#submitter.taskRefused(error);
  }

  signalRaised(): void {
    if (this.#signal === undefined) return;
    const error = aborted(this.#signal);
    this.#driver.abandon(this.#mirror.id, this.#requestId, error.message);
    this.#mirror.cancelledHere(error);
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#submitter.taskRefused(error);
  }

  taskOver(mirror: TaskMirror): void {
    if (mirror === this.#mirror) this.#release();
  }

  #release(): void {
    if (this.#signal !== undefined) this.#aborts?.release(this.#signal, this);
  }
}

/** What a task whose signal was raised ends with. */
export function aborted(signal: AbortSignal): SwarmError {
  return new SwarmError('TASK_CANCELLED', 'The signal of the submission was raised.', {
    cause: signal.reason,
  });
}

function wrongAnswer(type: string): SwarmError {
  return new SwarmError('BAD_MESSAGE', `A submission was answered by ${type}.`);
}
