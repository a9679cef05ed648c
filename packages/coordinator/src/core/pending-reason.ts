/** Why a task is not running: found when somebody asks, from what is true at that moment. */
import type { PendingReason, TaskRow } from '@quic-swarm/protocol';
import { hasRoomFor, isCapable, roomOf } from './agent-record.ts';
import { isInBackoff, type Task } from './task.ts';
import type { CoreState } from './state.ts';

/** Counts the agents that could take the task, and names what is missing. No reason unless it is queued. */
export function agentsFor(
  core: CoreState,
  task: Task,
): { pendingReason: PendingReason | undefined; candidates: NonNullable<TaskRow['candidates']> } {
  const candidates = { connected: 0, ofType: 0, capable: 0, free: 0 };
  if (task.state !== 'queued' && task.state !== 'waiting') {
    return { pendingReason: undefined, candidates };
  }
  const { agentType } = task.needs;
  for (const agent of core.agents.values()) {
    if (agent.connectionId === undefined) continue;
    candidates.connected += 1;
    if (agentType !== undefined && agent.agentType !== agentType) continue;
    candidates.ofType += 1;
    if (!isCapable(agent, task.needs)) continue;
    candidates.capable += 1;
    if (hasRoomFor(roomOf(agent), task.needs)) candidates.free += 1;
  }
  return { pendingReason: reasonFrom(task, candidates), candidates };
}

function reasonFrom(
  task: Task,
  { ofType, capable }: { ofType: number; capable: number },
): PendingReason | undefined {
  if (task.state === 'waiting') return undefined;
  if (isInBackoff(task)) return backoffReasonOf(task);
  // It waits no longer for an agent than the first of its shards does.
  if (task.split?.shards.some(({ state }) => state !== 'queued') === true) return undefined;
  if (ofType === 0) return 'NO_AGENT_OF_TYPE';
  return capable === 0 ? 'NO_CAPABILITY_MATCH' : 'NO_FREE_SLOT';
}

/** Why a task that is queued is not in the queue. */
export function backoffReasonOf({ durability }: Task): PendingReason {
  return durability?.returning === undefined ? 'BACKOFF' : 'AGENT_MAY_RETURN';
}
