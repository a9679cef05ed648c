/**
 * The entry of a worker thread. It decodes the input, runs the handler and encodes the result, so that the main thread
 * never touches what payloads contain. It imports nothing that opens a socket.
 */
import { parentPort } from 'node:worker_threads';
import { SwarmError } from '@quic-swarm/protocol';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import type { TaskHandler } from '../task-handler.ts';
import { HandlerContext, type Cancellation, type ContextOutlet } from './context.ts';
import { runHandler } from './run-handler.ts';
import {
  CANCELLED,
  CANCEL_CELL,
  CHUNKS_AHEAD_MAX,
  ENDED,
  NOT_CANCELLED,
  TAKEN_CELL,
  type ThreadMessage,
  type ThreadResult,
  type ThreadTask,
} from './thread-messages.ts';

/** ES2024, in Node since 16; the library that this project compiles against ends one year before. */
interface AtomicsWithWaitAsync {
  waitAsync(
    cells: Int32Array,
    index: number,
    value: number,
  ): { readonly async: boolean; readonly value: Promise<string> | string };
}
const atomics = Atomics as unknown as AtomicsWithWaitAsync;

/** A thread that blocks looks this often whether it should stop. */
const BLOCKED_LOOK_MS = 100;

const handlers = new Map<string, TaskHandler>();

/** Runs one task; what Piscina calls. */
export default async function runTask(task: ThreadTask): Promise<unknown> {
  const control = new Int32Array(task.control);
  const context = new HandlerContext(task, cancellationOf(control), outletOf(task.runId, control));
  const result = await runHandler(task, context, () => loadHandler(task));
  // Lets go of whoever still waits for a cancellation of this run.
  Atomics.compareExchange(control, CANCEL_CELL, NOT_CANCELLED, ENDED);
  Atomics.notify(control, CANCEL_CELL);
  return transferred(result);
}

/** The default export of a module, or its export named `handle`. */
async function loadHandler({ module, taskType }: ThreadTask): Promise<TaskHandler> {
  const known = handlers.get(module);
  if (known !== undefined) return known;
  let exports: { default?: unknown; handle?: unknown };
  try {
    exports = (await import(module)) as typeof exports;
  } catch (error) {
    throw new SwarmError(
      'BAD_OPTION',
      `The handler module of ${taskType}, ${module}, cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  const handler = exports.default ?? exports.handle;
  if (typeof handler !== 'function') {
    throw new SwarmError('BAD_OPTION', `The module ${module} of ${taskType} exports no handler.`, {
      hint: 'Write `export default (input, context) => …` in it, or export a function named handle.',
    });
  }
  handlers.set(module, handler as TaskHandler);
  return handler as TaskHandler;
}

function cancellationOf(control: Int32Array): Cancellation {
  const isRequested = (): boolean => Atomics.load(control, CANCEL_CELL) === CANCELLED;
  return {
    isRequested,
    onRequested: (raise) => {
      const waiting = atomics.waitAsync(control, CANCEL_CELL, NOT_CANCELLED);
      void Promise.resolve(waiting.value).then(() => {
        if (isRequested()) raise();
      });
    },
  };
}

function outletOf(runId: number, control: Int32Array): ContextOutlet {
  let sent = 0;
  return {
    progress: (fraction, text) => post({ type: 'progress', runId, fraction, text }),
    chunk: (payload) => {
      for (;;) {
        const taken = Atomics.load(control, TAKEN_CELL);
        const isCancelled = Atomics.load(control, CANCEL_CELL) === CANCELLED;
        if (sent - taken < CHUNKS_AHEAD_MAX || isCancelled) break;
        Atomics.wait(control, TAKEN_CELL, taken, BLOCKED_LOOK_MS);
      }
      sent += 1;
      post({ type: 'chunk', runId, payload }, payload);
    },
  };
}

function post(message: ThreadMessage, payload?: Uint8Array): void {
  const transfer = payload === undefined ? [] : [payload.buffer as ArrayBuffer];
  parentPort?.postMessage(message, transfer);
}

/** Marks the result's bytes as moved, not copied. */
function transferred(result: ThreadResult): unknown {
  const { payload } = result;
  if (payload === undefined) return result;
  return move({ [transferableSymbol]: payload.buffer, [valueSymbol]: result });
}
