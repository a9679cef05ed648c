/** Tells clients what happens to the tasks they watch. */
import type { PendingReason, TaskEvent } from '@quic-swarm/protocol';
import { agentsFor } from './pending-reason.ts';
import type { Chunk, Task } from './task.ts';
import type { CoreState } from './state.ts';

/** A change of state, for those who want to hear of all. */
export function announceState(core: CoreState, task: Task): void {
  for (const { connectionId, level } of task.watchers) {
    if (level === 'all') sendEvent(core, connectionId, stateEvent(core, task));
  }
}

export function announceProgress(
  core: CoreState,
  task: Task,
  fraction: number,
  text?: string,
): void {
  for (const { connectionId, level } of task.watchers) {
    if (level === 'none') continue;
    sendEvent(core, connectionId, {
      ...base(task),
      kind: 'progress',
      fraction,
      ...(text === undefined ? {} : { text }),
    });
  }
}

export function announceChunk(core: CoreState, task: Task, chunk: Chunk): void {
  for (const { connectionId, level } of task.watchers) {
    if (level !== 'none') sendEvent(core, connectionId, chunkEvent(task, chunk));
  }
}

/** The end of a task, to everybody who watches it; they stop watching with it. */
export function announceEnd(core: CoreState, task: Task): void {
  for (const { connectionId, level } of task.watchers) {
    core.clients.get(connectionId)?.watched.delete(task.taskId);
    if (level !== 'none') sendEvent(core, connectionId, endEvent(task));
  }
  task.watchers = [];
}

/** All that a client that starts to watch now has missed. */
export function tellSoFar(core: CoreState, task: Task, connectionId: string): void {
  for (const chunk of task.chunks) sendEvent(core, connectionId, chunkEvent(task, chunk));
  if (task.endedAtMs === undefined) sendEvent(core, connectionId, stateEvent(core, task));
  else sendEvent(core, connectionId, endEvent(task));
}

function sendEvent(core: CoreState, connectionId: string, body: TaskEvent): void {
  core.send(connectionId, 'client', { type: 'TaskEvent', body });
}

function base(task: Task): Pick<TaskEvent, 'taskId' | 'state' | 'attempt' | 'agentId'> {
  return {
    taskId: task.taskId,
    state: task.state,
    attempt: task.attempt,
    ...(task.agentId === undefined ? {} : { agentId: task.agentId }),
  };
}

function stateEvent(core: CoreState, task: Task): TaskEvent {
  const reason: PendingReason | undefined = agentsFor(core, task).pendingReason;
  return {
    ...base(task),
    kind: 'state',
    ...(reason === undefined ? {} : { pendingReason: reason }),
  };
}

function chunkEvent(task: Task, { sequence, payload, payloadEncoding }: Chunk): TaskEvent {
  return {
    ...base(task),
    kind: 'chunk',
    sequence,
    payload,
    ...(payloadEncoding === undefined ? {} : { payloadEncoding }),
  };
}

function endEvent(task: Task): TaskEvent {
  const endedAtMs = task.endedAtMs ?? task.acceptedAtMs;
  return {
    ...base(task),
    kind: 'end',
    ...(task.failure === undefined ? {} : { failure: task.failure }),
    ...(task.result === undefined ? {} : { payload: task.result }),
    ...(task.resultEncoding === undefined ? {} : { payloadEncoding: task.resultEncoding }),
    ...(task.resultType === undefined ? {} : { resultType: task.resultType }),
    chunkCount: task.chunks.length,
    deadLettered: task.deadLettered,
    queueMs: (task.firstStartedAtMs ?? endedAtMs) - task.acceptedAtMs,
    computeMs: task.computeMs,
    totalMs: endedAtMs - task.acceptedAtMs,
  };
}
