/**
 * The entry of a worker thread. It decodes the input, runs the handler and encodes the result, so that the main thread
 * never touches what payloads contain. It imports nothing that opens a socket.
 */
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { SwarmError } from '@quic-swarm/protocol';
import type { TaskHandler } from '../task-handler.ts';
import { HandlerContext, ownBytesOf, type Cancellation, type ContextOutlet } from './context.ts';
import { LaneMemory, LaneState } from './lane-memory.ts';
import { runHandler, runWithoutHandler } from './run-handler.ts';
import { Team } from './team.ts';
import {
  CHUNKS_AHEAD_MAX,
  type BatchedTask,
  type HandlerModule,
  type HandlerResult,
  type HandlerTask,
  type LaneSetup,
  type ThreadBatch,
  type ThreadMessage,
} from './thread-messages.ts';

/** A thread that blocks looks this often whether it should stop. */
const BLOCKED_LOOK_MS = 100;

const handlers = new Map<string, TaskHandler>();

/** Runs batches until the thread is terminated; what Piscina calls, once in the life of a thread. */
export default async function runLane({ port, memory, threads }: LaneSetup): Promise<never> {
  const lane = new ThreadLane(port, new LaneMemory(memory), threads);
  lane.post('ready');
  for (;;) {
    await lane.runNextBatches();
    // The thread blocks until the next batch, and nobody would write what waits in these.
    for (const stream of [process.stdout, process.stderr]) {
      if (stream.writableLength === 0) continue;
      await new Promise<void>((resolve) => {
        stream.write('', () => resolve());
      });
    }
  }
}

/** This thread's end of its lane. */
class ThreadLane {
  readonly #port: MessagePort;
  readonly #memory: LaneMemory;
  readonly #threads: number;
  #batchesSeen = 0;
  /** Bytes of the outbox that hold results of the batch that runs. */
  #outboxUsed = 0;

  constructor(port: MessagePort, memory: LaneMemory, threads: number) {
    this.#port = port;
    this.#memory = memory;
    this.#threads = threads;
  }

  post(message: ThreadMessage, transferred?: Uint8Array): void {
    this.#port.postMessage(
      message,
      transferred === undefined ? [] : [transferred.buffer as ArrayBuffer],
    );
  }

  /** Lets a run ask for helpers, where there are other threads. */
  #teamOf(runId: number): Team | undefined {
    if (this.#threads === 1) return undefined;
    return new Team(this.#threads, (invitation) => {
      this.#port.postMessage({ type: 'invitation', runId, invitation }, [invitation.port]);
    });
  }

  /** Blocks until there is a batch, which is cheaper and sooner than an event, and runs what has come. */
  async runNextBatches(): Promise<void> {
    this.#batchesSeen = this.#memory.waitForBatch(this.#batchesSeen);
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) return;
      await this.#runBatch(received.message as ThreadBatch);
    }
  }

  async #runBatch({ modules, payloads, tasks }: ThreadBatch): Promise<void> {
    this.#outboxUsed = 0;
    for (const [index, task] of tasks.entries()) {
      const module = modules[task[3]];
      if (module === undefined) throw new Error(`The batch has no module ${task[3]}.`);
      if (!this.#memory.move(index, LaneState.waiting, LaneState.running)) continue;
      const payload = payloadOf(task, payloads, tasks.length);
      await this.#runTask(index, task, module, payload);
    }
    this.post('batchEnded');
  }

  async #runTask(
    index: number,
    [runId, taskId, attempt, , , , arm, datasets = [], split]: BatchedTask,
    { taskType, module }: HandlerModule,
    payload: Uint8Array | undefined,
  ): Promise<void> {
    const task: HandlerTask = { taskId, taskType, attempt, payload, arm, datasets, split };
    const control = new RunControl(this.#memory, index);
    const context = new HandlerContext(task, control, this.#outletOf(runId, control), () =>
      this.#teamOf(runId),
    );
    const known = handlers.get(keyOf(module, task));
    const running =
      known === undefined ? loadAndRun(module, task, context) : runHandler(task, context, known);
    // A handler that is there and answers at once is not made to wait for a turn.
    const result = running instanceof Promise ? await running : running;
    control.end();
    this.#publish(index, runId, result);
    control.release();
  }

  #publish(index: number, runId: number, result: HandlerResult): void {
    if (this.#memory.fits(result, this.#outboxUsed)) {
      this.#outboxUsed = this.#memory.write(index, result, this.#outboxUsed);
      return;
    }
    if (result.payload === undefined) this.post({ type: 'result', runId, result });
    else {
      const payload = ownBytesOf(result.payload);
      this.post({ type: 'result', runId, result: { ...result, payload } }, payload);
    }
    this.#memory.endPosted(index);
  }

  #outletOf(runId: number, control: RunControl): ContextOutlet {
    return {
      progress: (fraction, text) => {
        if (!control.hasEnded) this.post({ type: 'progress', runId, fraction, text });
      },
      chunk: (payload) => {
        if (control.hasEnded) return;
        control.waitForRoom();
        this.post({ type: 'chunk', runId, payload }, payload);
      },
    };
  }
}

/**
 * What a run hears from the main thread. Its record belongs to another task as soon as it has ended, and what a handler
 * left behind may still ask.
 */
class RunControl implements Cancellation {
  readonly #memory: LaneMemory;
  readonly #index: number;
  #sent = 0;
  #isListening = false;
  #wasRequested = false;
  hasEnded = false;

  constructor(memory: LaneMemory, index: number) {
    this.#memory = memory;
    this.#index = index;
  }

  isRequested(): boolean {
    if (this.hasEnded) return this.#wasRequested;
    return this.#memory.state(this.#index) === LaneState.cancelled;
  }

  onRequested(raise: () => void): void {
    if (this.hasEnded) return;
    this.#isListening = true;
    this.#memory.onStateChange(this.#index, () => {
      if (!this.hasEnded && this.isRequested()) raise();
    });
  }

  /** Blocks while the main thread has too many chunks of the run that wait to be sent. */
  waitForRoom(): void {
    for (;;) {
      const taken = this.#memory.taken(this.#index);
      if (this.#sent - taken < CHUNKS_AHEAD_MAX || this.isRequested()) break;
      this.#memory.waitForTaken(this.#index, taken, BLOCKED_LOOK_MS);
    }
    this.#sent += 1;
  }

  /** The handler has ended; from here on the record is not looked at. */
  end(): void {
    this.#wasRequested = this.isRequested();
    this.hasEnded = true;
  }

  /** Lets go of whoever still waits for a cancellation of this run. */
  release(): void {
    if (this.#isListening) this.#memory.wake(this.#index);
  }
}

/** The input of a task in a buffer of its own, since a handler may do with its input what it likes. */
function payloadOf(
  [, , , , start, end]: BatchedTask,
  payloads: Uint8Array | undefined,
  batchLength: number,
): Uint8Array | undefined {
  if (payloads === undefined || start < 0) return undefined;
  return batchLength === 1 ? payloads : payloads.slice(start, end);
}

async function loadAndRun(
  module: string,
  task: HandlerTask,
  context: HandlerContext,
): Promise<HandlerResult> {
  let handler: TaskHandler;
  try {
    handler = await loadHandler(module, task);
  } catch (error) {
    return runWithoutHandler(context, error);
  }
  return runHandler(task, context, handler);
}

/** A helper runs another export of the same module. */
function keyOf(module: string, { split }: HandlerTask): string {
  return split?.help === undefined ? module : `${module} help`;
}

/** The default export of a module, or its export named `handle`; for helpers its export named `help`. */
async function loadHandler(module: string, task: HandlerTask): Promise<TaskHandler> {
  const { taskType } = task;
  let exports: { default?: unknown; handle?: unknown; help?: unknown };
  try {
    exports = (await import(module)) as typeof exports;
  } catch (error) {
    throw new SwarmError(
      'BAD_OPTION',
      `The handler module of ${taskType}, ${module}, cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  const handler =
    task.split?.help === undefined ? (exports.default ?? exports.handle) : exports.help;
  if (typeof handler !== 'function') {
    throw new SwarmError('BAD_OPTION', `The module ${module} of ${taskType} exports no handler.`, {
      hint: 'Write `export default (input, context) => …` in it, or export a function named handle.',
    });
  }
  handlers.set(keyOf(module, task), handler as TaskHandler);
  return handler as TaskHandler;
}
