/**
 * Encoded payloads at the coordinator. It passes them on as they are; only where the next one cannot decode, or where
 * it has to compare inputs, it decodes them itself. What cannot be decoded ends the task, never more than that.
 */
import {
  encodingOf,
  toFailure,
  unreadableEvent,
  unreadableTask,
  type BodyOf,
  type Message,
  type MessageOf,
} from '@quic-swarm/protocol';
import type { PayloadCoder } from '@quic-swarm/transport';

/**
 * The message as the peer can read it; a promise where that takes another thread. Never throws or rejects.
 * @param onUnreadable hears of a task whose input cannot be decoded; the agent gets it all the same, with an input that
 *   no handler accepts, so that its count of tasks that arrived has no gap
 */
export function decodableFor(
  coder: PayloadCoder,
  message: Message,
  onUnreadable: (task: BodyOf<'AgentTask'>, error: unknown) => void,
): Message | Promise<Message> {
  const instead = (error: unknown): Message => {
    if (message.type === 'TaskEvent') return unreadableEvent(message, error);
    if (message.type !== 'AgentTask') throw error;
    onUnreadable(message.body, error);
    return unreadableTask(message);
  };
  try {
    const prepared = coder.outgoing(message);
    return prepared instanceof Promise ? prepared.catch(instead) : prepared;
  } catch (error) {
    return instead(error);
  }
}

/** What the core is told when the input of a task cannot be decoded: the attempt has failed, and no other would do better. */
export function failedFor(task: BodyOf<'AgentTask'>, error: unknown): MessageOf<'TaskCompletion'> {
  const { epoch, taskId, attempt } = task;
  const { stack: _local, ...failure } = toFailure(error, 'BAD_ENCODING');
  const body = { epoch, taskId, attempt, outcome: 'failed', failure } as const;
  return { type: 'TaskCompletion', body: { ...body, chunkCount: 0, computeMs: 0, waitMs: 0 } };
}

/** A submission whose input has to be compared with an earlier one, which only plain bytes allow. */
export function mustBeDecoded(message: Message): message is MessageOf<'SubmitTask'> {
  return (
    message.type === 'SubmitTask' &&
    message.body.idempotencyKey !== undefined &&
    encodingOf(message) !== undefined
  );
}
