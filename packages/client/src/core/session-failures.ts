/** The errors that a session itself tells those who wait. */
import { failure, type Failure } from '@quic-swarm/protocol';

/** The session has ended. */
export function closed(): Failure {
  return failure('CLOSED', 'The client was closed.', { hint: 'Call connect() again.' });
}

/** A bound of the requests that wait is reached. */
export function bufferFull(): Failure {
  return failure('QUEUE_FULL', 'Too many requests of this client wait for the coordinator.', {
    hint: 'Await submit() before the next one, or use map(), which does it for you.',
    retryAfterMs: 50,
  });
}

/** The coordinator said no and nothing else. */
export function rejected(): Failure {
  return failure('INTERNAL', 'The coordinator rejected the request without a reason.');
}

/** A request was sent and not answered in time. */
export function mute(): Failure {
  return failure('CONNECTION_LOST', 'The coordinator is connected but did not answer in time.', {
    hint: 'Look at the coordinator: `swarm status`. Submitting again with an idempotencyKey never runs a task twice.',
  });
}

/** There was no connection until the request had run out of time. */
export function unreachable(): Failure {
  return failure(
    'CONNECT_FAILED',
    'The connection to the coordinator could not be restored in time.',
    { hint: 'Check that the coordinator runs and that UDP reaches it: `swarm status`.' },
  );
}

/** Reconnecting was given up. */
export function lost(): Failure {
  return failure('CONNECTION_LOST', 'The coordinator could not be reached for too long.', {
    hint: 'Raise giveUpAfterMs to wait longer; attach(taskId) looks for the task later.',
  });
}

/** A coordinator that was restarted does not know the task. */
export function notKept(taskId: string): Failure {
  return failure(
    'CONNECTION_LOST',
    `The coordinator was restarted and had not kept task ${taskId}.`,
    { hint: 'Submit it again. Tasks submitted with durable: true survive a restart.' },
  );
}
