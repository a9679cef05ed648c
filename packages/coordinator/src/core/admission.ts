/** Is there room? Asked before an input is read from the wire, and again when the task is submitted. */
import { SwarmError, failure, type Failure, type Message } from '@quic-swarm/protocol';
import { refuseDataset } from './datasets.ts';
import type { CoreState } from './state.ts';

/** Why no task with an input of this size can be accepted now; undefined when one can. */
export function refuseTask(core: CoreState, inputBytes: number): Failure | undefined {
  const { pendingTasksMax, pendingBytesMax, queueFullRetryAfterMs: retryAfterMs } = core.options;
  if (core.draining) {
    return failure('DRAINING', 'The coordinator is shutting down and accepts no new tasks.', {
      retryAfterMs: 1000,
    });
  }
  if (core.pendingTasks >= pendingTasksMax) {
    return failure(
      'QUEUE_FULL',
      `${core.pendingTasks} tasks are waiting, the bound is ${pendingTasksMax}.`,
      { retryAfterMs },
    );
  }
  if (core.pendingBytes + inputBytes > pendingBytesMax) {
    return failure(
      'QUEUE_FULL',
      `The inputs of waiting tasks take ${core.pendingBytes} bytes, the bound is ${pendingBytesMax}.`,
      { retryAfterMs },
    );
  }
  return undefined;
}

/**
 * Why a long payload should not even be read; undefined when it may come. What agents send is bounded by their credit.
 * @param incomingBytes payloads of all peers that are being read
 */
export function refuseIncoming(
  core: CoreState,
  { type }: Message,
  payloadBytes: number,
  incomingBytes: number,
): SwarmError | undefined {
  if (type === 'PutDataset') return refuseDataset(core, payloadBytes + incomingBytes);
  if (type !== 'SubmitTask') return undefined;
  const refusal = refuseTask(core, payloadBytes + incomingBytes);
  return refusal === undefined ? undefined : SwarmError.fromFailure(refusal);
}
