/**
 * What a client promised its user, and whether it was kept: every submission is answered once, every task that is
 * watched is told to have ended once, with the right result and all its parts in order, or to be lost.
 *
 * It stands in the place of the SDK's handles, and breaks when what it hears would break theirs.
 */
import type { RequestMessage, SessionEffect } from '@quic-swarm/client';
import { isTerminal, type Failure, type TaskEvent } from '@quic-swarm/protocol';
import type { Submission } from './submission.ts';
import type { Promised } from './observer.ts';
import { Violation } from './violation.ts';
import { areEqual, chunkOf, inputOf, outcomeOf, resultOf } from './work.ts';
import type { WorldParts } from './world-parts.ts';

/** How often a user submits again what was refused for a reason that passes. */
const TRIES_MAX = 30;

interface Entry extends Promised {
  readonly submission: Submission;
  readonly requestId: number;
  tries: number;
  isAnswered: boolean;
}

/** A task that is watched. Several submissions share one where an idempotency key led to the same task. */
interface Watch {
  taskId: string;
  readonly entries: Entry[];
  readonly work: number;
  chunks: number;
  hasEnded: boolean;
  haveChunksEnded: boolean;
}

type Heard = Exclude<SessionEffect, { type: 'send' | 'connect' }>;

/** What a ledger needs of its client. */
export interface LedgerClient {
  readonly clientName: string;
  newRequestId(): number;
  request(message: RequestMessage): void;
  abandon(taskId: string, requestId: number): void;
  upload(requestId: number, datasetId: string): boolean;
  after(delayMs: number, action: () => void): void;
}

/** So long after its end it is known how a task turned out. */
const OUTCOME_AFTER_MS = 20;

/** See the head of this file. */
export class PromiseLedger {
  readonly #client: LedgerClient;
  readonly #parts: WorldParts;
  readonly #asked = new Map<number, Entry>();
  readonly #watches = new Map<string, Watch>();
  readonly #uploads = new Map<
    number,
    { readonly datasetId: string; readonly onDone: () => void }
  >();
  #retries = 0;

  constructor(client: LedgerClient, parts: WorldParts) {
    this.#client = client;
    this.#parts = parts;
  }

  /** Nothing is open any more. */
  get isSettled(): boolean {
    return this.#asked.size === 0 && this.#watches.size === 0 && this.#retries === 0;
  }

  /** Tasks and requests that are open, for a report. */
  get open(): string[] {
    const { names } = this.#parts;
    const asked = [...this.#asked.values()].map(({ taskId }) => names.of(taskId));
    const watched = [...this.#watches.keys()].map((taskId) => names.of(taskId));
    return [...new Set([...asked, ...watched])];
  }

  submit(submission: Submission, tries: number = 0): void {
    const { number, work, terms, replayOf } = submission;
    const { names, submissions } = this.#parts;
    const taskId = names.idOf(number);
    submissions.set(taskId, submission);
    const requestId = this.#client.newRequestId();
    const entry: Entry = {
      submission,
      taskId,
      work,
      isDurable: terms.durable === true,
      isWatched: terms.watch !== 'none',
      clientName: this.#client.clientName,
      replayOf,
      requestId,
      tries,
      isAnswered: false,
    };
    this.#asked.set(requestId, entry);
    if (entry.isWatched) this.#watch(taskId, entry);
    if (replayOf !== undefined) {
      this.#replay(entry, replayOf);
      return;
    }
    this.#parts.note(`${this.#client.clientName} submits t${number} ${terms.taskType}`);
    const body = { ...terms, requestId, taskId, payload: inputOf(work) };
    this.#client.request({ type: 'SubmitTask', body });
  }

  /** Submits a dead letter again: the coordinator knows the rest. */
  #replay({ requestId, taskId: replayId, submission }: Entry, taskId: string): void {
    const { names, note } = this.#parts;
    note(`${this.#client.clientName} replays ${names.of(taskId)} as ${names.of(replayId)}`);
    const { watch } = submission.terms;
    const body = { requestId, taskId, action: 'replay', replayId, watch } as const;
    this.#client.request({ type: 'ControlDeadLetter', body });
  }

  cancel(number: number): void {
    const { names, note } = this.#parts;
    note(`${this.#client.clientName} cancels t${number}`);
    const requestId = this.#client.newRequestId();
    const body = { requestId, taskId: names.idOf(number), reason: 'a test', graceMs: 200 };
    this.#client.request({ type: 'CancelTask', body });
  }

  /** Does not wait for a task any more, so that it is cancelled where nobody else does. */
  abandon(number: number): void {
    const taskId = this.#parts.names.idOf(number);
    const watch = this.#watches.get(taskId);
    const entry = watch?.entries[0];
    // Of a shared task another user still waits.
    if (watch === undefined || entry === undefined || watch.entries.length > 1) return;
    this.#asked.delete(entry.requestId);
    watch.hasEnded = true;
    watch.haveChunksEnded = true;
    this.#client.abandon(taskId, entry.requestId);
  }

  /** An upload was acknowledged; false when the answer is for somebody else. */
  uploaded(requestId: number): boolean {
    const upload = this.#uploads.get(requestId);
    this.#uploads.delete(requestId);
    upload?.onDone();
    return upload !== undefined;
  }

  /** Uploads that were lost with a connection begin again. */
  connected(): void {
    for (const [requestId, { datasetId }] of this.#uploads)
      this.#client.upload(requestId, datasetId);
  }

  hear(effect: Heard): void {
    switch (effect.type) {
      case 'answered': {
        const entry = this.#asked.get(effect.requestId);
        this.#asked.delete(effect.requestId);
        if (entry !== undefined && effect.message.type === 'SubmitAck') {
          this.#accepted(entry, effect.message.body.taskId);
        }
        return;
      }
      case 'refused':
        this.#refused(effect.requestId, effect.failure);
        return;
      case 'redirected':
        this.#redirect(effect.fromTaskId, effect.toTaskId);
        return;
      case 'taskChanged':
        if (effect.event.kind === 'end') this.#ended(effect.event);
        return;
      case 'taskLost':
        this.#lost(effect.taskId, effect.failure);
        return;
      case 'chunksArrived':
        this.#chunksCame(effect.taskId, effect.payloads);
        return;
      case 'chunksEnded':
        this.#chunksEnded(effect.taskId, effect.failure);
        return;
      case 'forgotten':
        this.#forget(effect.taskId);
        return;
      case 'gaveUp':
        this.#parts.note(`${this.#client.clientName} gives up`);
    }
  }

  #watch(taskId: string, entry: Entry): void {
    const known = this.#watches.get(taskId);
    if (known !== undefined) {
      if (!known.entries.includes(entry)) known.entries.push(entry);
      return;
    }
    const { work } = entry;
    this.#watches.set(taskId, {
      taskId,
      entries: [entry],
      work,
      chunks: 0,
      hasEnded: false,
      haveChunksEnded: false,
    });
  }

  #accepted(entry: Entry, taskId: string): void {
    if (entry.isAnswered) this.#break(entry.taskId, 'A submission was answered twice.');
    entry.isAnswered = true;
    this.#parts.observe((observer) => observer.clientAccepted?.(entry, taskId));
  }

  #refused(requestId: number, reason: Failure): void {
    const entry = this.#asked.get(requestId);
    if (entry === undefined) return;
    this.#asked.delete(requestId);
    this.#watches.delete(entry.taskId);
    if (entry.isAnswered) this.#break(entry.taskId, 'A submission was answered twice.');
    entry.isAnswered = true;
    const { names, note } = this.#parts;
    note(`${this.#client.clientName} is refused ${names.of(entry.taskId)}: ${reason.type}`);
    if (entry.tries < TRIES_MAX && this.#triesAgain(entry, reason)) return;
    this.#settle([entry], reason);
  }

  /** What a user does who reads the hint. */
  #triesAgain(entry: Entry, { type, retryAfterMs = 500 }: Failure): boolean {
    const again = (): void => {
      this.#retries -= 1;
      this.submit(entry.submission, entry.tries + 1);
    };
    if (type === 'QUEUE_FULL' || type === 'DRAINING') {
      this.#retries += 1;
      this.#client.after(retryAfterMs, again);
      return true;
    }
    if (type !== 'DATASET_NOT_FOUND') return false;
    this.#retries += 1;
    this.#uploadAll([...entry.submission.terms.datasets], again);
    return true;
  }

  #uploadAll(datasets: readonly string[], onDone: () => void): void {
    const [datasetId, ...rest] = datasets;
    if (datasetId === undefined) {
      onDone();
      return;
    }
    const requestId = this.#client.newRequestId();
    this.#uploads.set(requestId, { datasetId, onDone: () => this.#uploadAll(rest, onDone) });
    this.#client.upload(requestId, datasetId);
  }

  #redirect(fromTaskId: string, toTaskId: string): void {
    const watch = this.#watches.get(fromTaskId);
    if (watch === undefined) return;
    this.#watches.delete(fromTaskId);
    const known = this.#watches.get(toTaskId);
    watch.taskId = toTaskId;
    if (known === undefined) this.#watches.set(toTaskId, watch);
    else known.entries.push(...watch.entries);
  }

  #ended(event: TaskEvent): void {
    const watch = this.#watchOf(event.taskId, 'ended');
    if (watch.hasEnded) this.#break(event.taskId, 'A client was told twice how a task ended.');
    watch.hasEnded = true;
    if (!isTerminal(event.state)) this.#break(event.taskId, `A task ended as ${event.state}.`);
    if (event.state === 'succeeded' && !areEqual(event.payload, resultOf(watch.work))) {
      this.#break(event.taskId, 'A client got a result that is not the right one.');
    }
    this.#settle(watch.entries, event);
  }

  #lost(taskId: string, reason: Failure): void {
    const watch = this.#watchOf(taskId, 'lost');
    if (watch.hasEnded) this.#break(taskId, 'A task was lost for a client that knew its end.');
    watch.hasEnded = true;
    const { names, note } = this.#parts;
    note(`${this.#client.clientName} has lost ${names.of(taskId)}: ${reason.type}`);
    this.#settle(watch.entries, reason);
  }

  #chunksCame(taskId: string, payloads: readonly Uint8Array[]): void {
    const watch = this.#watchOf(taskId, 'sent parts');
    for (const payload of payloads) {
      if (watch.haveChunksEnded) this.#break(taskId, 'A part came after the last one.');
      if (!areEqual(payload, chunkOf(watch.work, watch.chunks))) {
        this.#break(taskId, `Part ${watch.chunks} of a result is not the right one.`);
      }
      watch.chunks += 1;
    }
  }

  #chunksEnded(taskId: string, reason: Failure | undefined): void {
    const watch = this.#watchOf(taskId, 'sent all parts');
    if (watch.haveChunksEnded) this.#break(taskId, 'The parts of a result ended twice.');
    watch.haveChunksEnded = true;
    const expected = this.#parts.works.get(watch.work)?.chunks ?? 0;
    // Shards send their parts to nobody.
    const isWhole = watch.entries.every(({ submission }) => submission.terms.shards === undefined);
    if (reason === undefined && isWhole && watch.chunks !== expected) {
      this.#break(taskId, `${watch.chunks} of ${expected} parts were called all of them.`);
    }
  }

  #forget(taskId: string): void {
    const watch = this.#watches.get(taskId);
    if (watch === undefined) return;
    if (!watch.hasEnded) this.#break(taskId, 'A task was forgotten before it ended.');
    this.#watches.delete(taskId);
  }

  #settle(entries: readonly Entry[], how: TaskEvent | Failure): void {
    for (const entry of entries) {
      this.#parts.observe((observer) => observer.clientSettled?.(entry, how));
    }
    if ('kind' in how && how.state === 'succeeded') this.#tellOutcome(how.taskId);
  }

  /** Of a task that is learnt from somebody says how it turned out, perhaps more than one. */
  #tellOutcome(taskId: string): void {
    const submission = this.#parts.submissions.get(taskId);
    if (submission?.terms.learn === undefined) return;
    const { step } = submission.terms.learn;
    const actual = outcomeOf(submission.work);
    this.#client.after(OUTCOME_AFTER_MS, () => {
      const requestId = this.#client.newRequestId();
      const known = step === undefined ? {} : { step: step + 1 };
      this.#client.request({ type: 'TaskOutcome', body: { requestId, taskId, actual, ...known } });
    });
  }

  #watchOf(taskId: string, what: string): Watch {
    const watch = this.#watches.get(taskId);
    if (watch !== undefined) return watch;
    const name = this.#parts.names.of(taskId);
    return this.#break(taskId, `${name} ${what} for a client that does not watch it.`);
  }

  #break(taskId: string, sentence: string): never {
    throw new Violation('promises', sentence, [this.#parts.names.of(taskId)]);
  }
}
