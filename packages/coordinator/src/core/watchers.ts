/** Tells clients what happens to the tasks they watch. Those that are gone stay in a task's list until it ends and hear nothing. */
import type { PendingReason, TaskEvent } from '@quic-swarm/protocol';
import { sendAbout } from './durability.ts';
import { agentsFor } from './pending-reason.ts';
import { NO_WATCHERS, chunkCountOf, chunksOf, type Chunk, type Task } from './task.ts';
import type { CoreState } from './state.ts';

/** A change of state, for those who want to hear of all. */
export function announceState(core: CoreState, task: Task): void {
  for (const { connectionId, level } of task.watchers) {
    if (level === 'all' && core.clients.has(connectionId))
      sendEvent(core, task, connectionId, stateEvent(core, task));
  }
}

export function announceProgress(
  core: CoreState,
  task: Task,
  fraction: number,
  text?: string,
): void {
  for (const { connectionId, level } of task.watchers) {
    if (level === 'none' || !core.clients.has(connectionId)) continue;
    const event = eventOf(task, 'progress');
    event.fraction = fraction;
    if (text !== undefined) event.text = text;
    sendEvent(core, task, connectionId, event);
  }
}

export function announceChunk(core: CoreState, task: Task, chunk: Chunk): void {
  for (const { connectionId, level } of task.watchers) {
    if (level === 'none' || !core.clients.has(connectionId)) continue;
    sendEvent(core, task, connectionId, chunkEvent(task, chunk));
  }
}

/** The end of a task, to everybody who watches it; they stop watching with it. */
export function announceEnd(core: CoreState, task: Task): void {
  for (const { connectionId, level } of task.watchers) {
    if (level === 'none' || !core.clients.has(connectionId)) continue;
    sendEvent(core, task, connectionId, endEvent(task));
  }
  if (task.terms.onClientLoss === 'cancel') {
    core.clients.get(task.submitter.connectionId)?.cancelledWithIt.delete(task);
  }
  task.watchers = NO_WATCHERS;
}

/** All that a client that starts to watch now has missed. */
export function tellSoFar(core: CoreState, task: Task, connectionId: string): void {
  for (const chunk of chunksOf(task)) sendEvent(core, task, connectionId, chunkEvent(task, chunk));
  if (task.endedAtMs === undefined) sendEvent(core, task, connectionId, stateEvent(core, task));
  else sendEvent(core, task, connectionId, endEvent(task));
}

function sendEvent(core: CoreState, task: Task, connectionId: string, body: TaskEvent): void {
  sendAbout(core, task, connectionId, 'client', { type: 'TaskEvent', body });
}

/** What all events have. Fields are set one by one behind it: an object that is built by spreading costs several times as much. */
function eventOf(task: Task, kind: TaskEvent['kind']): TaskEvent {
  const event: TaskEvent = { taskId: task.taskId, state: task.state, attempt: task.attempt, kind };
  if (task.agentId !== undefined) event.agentId = task.agentId;
  return event;
}

function stateEvent(core: CoreState, task: Task): TaskEvent {
  const event = eventOf(task, 'state');
  const reason: PendingReason | undefined = agentsFor(core, task).pendingReason;
  if (reason !== undefined) event.pendingReason = reason;
  return event;
}

function chunkEvent(task: Task, { sequence, payload, payloadEncoding }: Chunk): TaskEvent {
  const event = eventOf(task, 'chunk');
  event.sequence = sequence;
  event.payload = payload;
  if (payloadEncoding !== undefined) event.payloadEncoding = payloadEncoding;
  return event;
}

function endEvent(task: Task): TaskEvent {
  const endedAtMs = task.endedAtMs ?? task.acceptedAtMs;
  const event = eventOf(task, 'end');
  if (task.trouble?.failure !== undefined) event.failure = task.trouble.failure;
  if (task.result !== undefined) event.payload = task.result;
  if (task.resultEncoding !== undefined) event.payloadEncoding = task.resultEncoding;
  if (task.resultType !== undefined) event.resultType = task.resultType;
  event.chunkCount = chunkCountOf(task);
  event.deadLettered = task.trouble?.deadLettered ?? false;
  if (task.durability?.isAcknowledged === false) event.durable = true;
  event.queueMs = (task.firstStartedAtMs ?? endedAtMs) - task.acceptedAtMs;
  event.computeMs = task.computeMs ?? 0;
  event.totalMs = endedAtMs - task.acceptedAtMs;
  return event;
}
