/**
 * One run of a handler from bytes to bytes: decode the input, check it where its type is built in, run, encode. The
 * same in a worker thread and on the main thread. Never throws: how it ended is data.
 */
import {
  SwarmError,
  decodeDocument,
  decodeInput,
  encodeDocument,
  isBuiltInTaskType,
  toFailure,
  type Failure,
} from '@quic-swarm/protocol';
import type { TaskHandler } from '../task-handler.ts';
import type { HandlerContext } from './context.ts';
import { handlerFailureOf } from './handler-failure.ts';
import type { HandlerResult, HandlerTask } from './thread-messages.ts';

/** Runs `load`'s handler on the task. The payload of the result may lie in a part of a larger buffer: the encoder's. */
export async function runHandler(
  task: HandlerTask,
  context: HandlerContext,
  load: () => TaskHandler | Promise<TaskHandler>,
): Promise<HandlerResult> {
  let loadedMs = performance.now();
  let startedMs = loadedMs;
  const ended = (
    ending:
      { outcome: 'succeeded'; payload?: Uint8Array } | { outcome: 'failed'; failure: Failure },
  ): HandlerResult => {
    const endedMs = performance.now();
    return {
      ...(context.sawCancellation ? { outcome: 'cancelled' } : ending),
      computeMs: endedMs - startedMs,
      serviceMs: endedMs - loadedMs,
      usedArm: context.usedArm,
      chunkCount: context.chunkCount,
    };
  };
  try {
    const loaded = load();
    // Handlers that are there are not made to wait for a turn either.
    const handler = loaded instanceof Promise ? await loaded : loaded;
    loadedMs = performance.now();
    startedMs = loadedMs;
    const input = inputOf(task);
    startedMs = performance.now();
    const returned = handler(input, context);
    // A synchronous handler is not made to wait for a turn of the loop.
    const value = returned instanceof Promise ? ((await returned) as unknown) : returned;
    // The clock stops before encoding in the name, not in fact: encoding is part of what the result costs.
    const payload = value === undefined ? undefined : encodeResult(value);
    return ended({ outcome: 'succeeded', ...(payload === undefined ? {} : { payload }) });
  } catch (error) {
    return ended({ outcome: 'failed', failure: handlerFailureOf(error) });
  }
}

function inputOf({ taskType, payload }: HandlerTask): unknown {
  if (isBuiltInTaskType(taskType)) {
    if (payload === undefined) {
      throw new SwarmError('BAD_INPUT', `${taskType} needs an input, and none was given.`);
    }
    return decodeInput(taskType, payload);
  }
  return payload === undefined ? undefined : decodeDocument(payload);
}

function encodeResult(value: unknown): Uint8Array {
  try {
    return encodeDocument(value);
  } catch (error) {
    const { message, hint } = toFailure(error);
    throw new SwarmError('TASK_FAILED', `The handler's result cannot be sent. ${message}`, {
      retryable: false,
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
