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
} from '@quic-swarm/protocol';
import type { TaskHandler } from '../task-handler.ts';
import type { HandlerContext } from './context.ts';
import { handlerFailureOf } from './handler-failure.ts';
import type { HandlerResult, HandlerTask } from './thread-messages.ts';

/**
 * Runs the handler on the task. Answers at once when the handler does, since a promise would cost more than a short
 * handler; otherwise the promise never rejects. The payload of the result may lie in a part of a larger buffer: the
 * encoder's.
 */
export function runHandler(
  task: HandlerTask,
  context: HandlerContext,
  handler: TaskHandler,
): HandlerResult | Promise<HandlerResult> {
  const loadedMs = performance.now();
  let startedMs = loadedMs;
  try {
    const input = inputOf(task);
    startedMs = performance.now();
    const returned = handler(input, context);
    // A synchronous handler is not made to wait for a turn of the loop.
    return returned instanceof Promise
      ? resultLater(returned, context, loadedMs, startedMs)
      : succeeded(returned, context, loadedMs, startedMs);
  } catch (error) {
    return failed(error, context, loadedMs, startedMs);
  }
}

/** How a run ends whose handler cannot be had. */
export function runWithoutHandler(context: HandlerContext, error: unknown): HandlerResult {
  const nowMs = performance.now();
  return failed(error, context, nowMs, nowMs);
}

async function resultLater(
  returned: Promise<unknown>,
  context: HandlerContext,
  loadedMs: number,
  startedMs: number,
): Promise<HandlerResult> {
  try {
    return succeeded(await returned, context, loadedMs, startedMs);
  } catch (error) {
    return failed(error, context, loadedMs, startedMs);
  }
}

/** @throws when the value cannot be sent */
function succeeded(
  value: unknown,
  context: HandlerContext,
  loadedMs: number,
  startedMs: number,
): HandlerResult {
  // The clock stops before encoding in the name, not in fact: encoding is part of what the result costs.
  const payload = value === undefined ? undefined : encodeResult(value);
  const ending = endOf('succeeded', context, loadedMs, startedMs);
  if (payload !== undefined && !context.sawCancellation) ending.payload = payload;
  return ending;
}

function failed(
  error: unknown,
  context: HandlerContext,
  loadedMs: number,
  startedMs: number,
): HandlerResult {
  const ending = endOf('failed', context, loadedMs, startedMs);
  if (!context.sawCancellation) ending.failure = handlerFailureOf(error);
  return ending;
}

function endOf(
  outcome: 'succeeded' | 'failed',
  { sawCancellation, usedArm, findings, chunkCount }: HandlerContext,
  loadedMs: number,
  startedMs: number,
): HandlerResult {
  const endedMs = performance.now();
  const ending: HandlerResult = {
    outcome: sawCancellation ? 'cancelled' : outcome,
    computeMs: endedMs - startedMs,
    serviceMs: endedMs - loadedMs,
    usedArm,
    chunkCount,
  };
  if (findings !== undefined) ending.findings = findings;
  return ending;
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
