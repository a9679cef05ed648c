/**
 * Tasks that failed although they were tried as often as they may be: kept with their inputs, until somebody submits them
 * again or drops them.
 */
import { failure, type ControlDeadLetter, type Failure } from '@quic-swarm/protocol';
import { sendAbout } from './durability.ts';
import { dropDeadLetter } from './retention.ts';
import type { Client, CoreState } from './state.ts';
import { acceptAgain, submitReplay } from './submissions.ts';
import type { Task } from './task.ts';
import { submissionOf } from './task-image.ts';

/** A client says what becomes of a dead letter. */
export function controlDeadLetter(
  core: CoreState,
  client: Client,
  message: ControlDeadLetter,
): void {
  const { requestId, taskId, action, replayId, watch = 'none' } = message;
  const { connectionId } = client;
  const dead = core.deadLetters.get(taskId);
  const again = replayId === undefined ? undefined : core.tasks.get(replayId);
  if (action === 'replay' && again?.replayOf === taskId) {
    acceptAgain(core, client, { requestId, watch }, again);
  } else if (dead === undefined) {
    core.refuse(connectionId, 'client', requestId, notADeadLetter(taskId));
  } else if (action === 'drop') {
    dropDeadLetter(core, dead);
    const body = { requestId, status: 'PROCESSED' } as const;
    sendAbout(core, dead, connectionId, 'client', { type: 'MessageAck', body });
  } else if (replayId === undefined || again !== undefined) {
    core.refuse(connectionId, 'client', requestId, badReplayId(replayId));
  } else {
    replay(core, client, dead, { requestId, taskId: replayId, watch });
  }
}

/** The same task under a new id; as durable as it was, and without what was used up: its time limits and its key. */
function replay(
  core: CoreState,
  client: Client,
  dead: Task,
  request: Pick<Parameters<typeof submitReplay>[2], 'requestId' | 'taskId' | 'watch'>,
): void {
  const submission = { ...submissionOf(dead), ...request };
  if (!submitReplay(core, client, submission, dead.taskId)) return;
  const { input } = dead;
  dropDeadLetter(core, dead);
  const position = core.tasks.get(request.taskId)?.durability?.acceptedAt;
  if (position !== undefined) core.replaying.set(request.taskId, { dead, input, position });
}

/** More is on disk: of dead letters whose new task is there nothing has to be kept any more. */
export function settleReplays(core: CoreState): void {
  for (const [replayId, { position }] of core.replaying) {
    if (!core.journal.isOpen(position)) core.replaying.delete(replayId);
  }
}

function notADeadLetter(taskId: string): Failure {
  return failure('TASK_NOT_FOUND', `There is no dead letter ${taskId}.`, {
    hint: 'List those that there are: swarm deadletter ls.',
  });
}

function badReplayId(replayId: string | undefined): Failure {
  const why = replayId === undefined ? 'is missing' : 'belongs to another task';
  return failure('BAD_OPTION', `To replay a dead letter a new task id is needed; replayId ${why}.`);
}
