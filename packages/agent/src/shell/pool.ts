/**
 * The worker threads. One task per thread at a time; a thread that dies takes its own task with it and is replaced; a
 * task that does not stop when it is told to loses its thread.
 */
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { failure as failureOf, toFailure } from '@quic-swarm/protocol';
import { Piscina } from 'piscina';
import type { TaskResult } from '../core/events.ts';
import { ignoreSendFailure, type RunListener, type TaskRun } from './task-run.ts';
import {
  CANCELLED,
  CANCEL_CELL,
  CONTROL_BYTES,
  NOT_CANCELLED,
  TAKEN_CELL,
  type HandlerTask,
  type ThreadMessage,
  type ThreadResult,
  type ThreadTask,
} from './thread-messages.ts';

/** From sources the files next to this one are TypeScript, from `dist` they are JavaScript. */
export const MODULE_SUFFIX: '.ts' | '.js' = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** A payload that fills less of its buffer than this is copied out, since a buffer crosses a thread as a whole. */
const SMALL_SHARE = 0.5;

interface Run {
  readonly control: Int32Array;
  readonly listener: RunListener;
  chunksReceived: number;
  chunksExpected: number | undefined;
  onAllChunks: (() => void) | undefined;
}

/** Threads that run handlers from modules. */
export class WorkerPool {
  readonly #threads: number;
  readonly #runs: Map<number, Run> = new Map();
  #piscina: Piscina | undefined;
  #lastRunId = 0;

  /** @param threads how many; none is started before `start` or the first run */
  constructor(threads: number) {
    this.#threads = threads;
  }

  /** Starts the threads, so that the first task need not wait for them. */
  start(): void {
    this.#started();
  }

  /** Runs the module's handler in a thread. */
  run(task: HandlerTask, module: string, listener: RunListener): TaskRun {
    const piscina = this.#started();
    const runId = (this.#lastRunId += 1);
    const control = new SharedArrayBuffer(CONTROL_BYTES);
    const run: Run = {
      control: new Int32Array(control),
      listener,
      chunksReceived: 0,
      chunksExpected: undefined,
      onAllChunks: undefined,
    };
    this.#runs.set(runId, run);
    const termination = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const threadTask = { ...task, payload: compact(task.payload), runId, module, control };
    const ended = this.#ended(piscina, threadTask, run, termination.signal).finally(() => {
      clearTimeout(timer);
      this.#runs.delete(runId);
    });
    return {
      ended,
      abort: (graceMs) => {
        if (Atomics.compareExchange(run.control, CANCEL_CELL, NOT_CANCELLED, CANCELLED) !== 0) {
          return;
        }
        Atomics.notify(run.control, CANCEL_CELL);
        Atomics.notify(run.control, TAKEN_CELL);
        timer = setTimeout(() => termination.abort(), graceMs);
      },
    };
  }

  /** Terminates all threads, whatever they do. */
  async close(): Promise<void> {
    const piscina = this.#piscina;
    this.#piscina = undefined;
    await piscina?.destroy();
  }

  #started(): Piscina {
    if (this.#piscina !== undefined) return this.#piscina;
    const piscina = new Piscina({
      filename: fileURLToPath(new URL(`./worker${MODULE_SUFFIX}`, import.meta.url)),
      minThreads: this.#threads,
      maxThreads: this.#threads,
      ...(MODULE_SUFFIX === '.ts' ? { execArgv: sourceArguments() } : {}),
    });
    piscina.on('message', (message: ThreadMessage) => this.#receive(message));
    // A thread that dies without a task is replaced; there is nobody to tell.
    piscina.on('error', ignoreSendFailure);
    this.#piscina = piscina;
    return piscina;
  }

  async #ended(
    piscina: Piscina,
    task: ThreadTask,
    run: Run,
    signal: AbortSignal,
  ): Promise<TaskResult> {
    const startedMs = performance.now();
    try {
      const answer = (await piscina.run(task, { signal })) as ThreadResult;
      const { chunkCount, ...result } = answer;
      await allChunks(run, chunkCount);
      return result;
    } catch (error) {
      const computeMs = performance.now() - startedMs;
      if (signal.aborted) return { outcome: 'cancelled', computeMs, usedArm: false };
      const { message, stack } = toFailure(error);
      const failure = failureOf(
        'WORKER_CRASHED',
        `The worker thread that ran ${task.taskType} ended: ${message}.`,
      );
      const detailed = stack === undefined ? failure : { ...failure, stack };
      return { outcome: 'failed', failure: detailed, computeMs, usedArm: false };
    }
  }

  #receive(message: ThreadMessage): void {
    const run = this.#runs.get(message.runId);
    // The last words of a thread that was terminated.
    if (run === undefined) return;
    if (message.type === 'progress') {
      run.listener.onProgress(message.fraction, message.text);
      return;
    }
    run.chunksReceived += 1;
    const sent = run.listener.onChunk(message.payload);
    if (sent === undefined) taken(run);
    else void sent.catch(ignoreSendFailure).then(() => taken(run));
    if (run.chunksReceived === run.chunksExpected) run.onAllChunks?.();
  }
}

/** Resolves when every chunk that the thread sent has arrived: the result travels on another port. */
async function allChunks(run: Run, chunkCount: number): Promise<void> {
  if (run.chunksReceived >= chunkCount) return;
  run.chunksExpected = chunkCount;
  await new Promise<void>((resolve) => {
    run.onAllChunks = resolve;
  });
}

/** Lets the thread emit one more chunk. */
function taken({ control }: Run): void {
  Atomics.add(control, TAKEN_CELL, 1);
  Atomics.notify(control, TAKEN_CELL);
}

function compact(payload: Uint8Array | undefined): Uint8Array | undefined {
  if (payload === undefined) return undefined;
  const isMostOfBuffer = payload.byteLength >= payload.buffer.byteLength * SMALL_SHARE;
  return isMostOfBuffer ? payload : new Uint8Array(payload);
}

/** What a thread needs to run TypeScript and to find the sources of its siblings. */
function sourceArguments(): string[] {
  // tsx registers itself in the main thread only; its programming interface does it anywhere.
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api')).href;
  const preload = `import { register } from ${JSON.stringify(tsx.replace(/\.cjs$/, '.mjs'))}; register();`;
  return ['--import', `data:text/javascript,${encodeURIComponent(preload)}`, '--conditions=source'];
}
