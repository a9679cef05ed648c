/**
 * Work stealing. An agent holds a few more leases than it computes, so that none of its slots waits for the wire; when
 * another one has nothing to do, that was too many. Then what is not started is asked back, the last that came first, and
 * is given away when its agent has returned it: never before, since it may have been started meanwhile.
 *
 * Asked for at two occasions: an agent has become free and found no task, and an agent that holds too many is heard.
 */
import type { Lease } from '@quic-swarm/protocol';
import { isCapable, roomOf, type Agent } from './agent-record.ts';
import type { CoreState } from './state.ts';
import type { AgentLease } from './task.ts';

/** What will be begun sooner than a lease has travelled there and back is left alone. */
const WORTH_MS = 10;

/** So many holders are looked at for one agent that is free: there may be a thousand, and this is asked often. */
const HOLDERS_LOOKED_AT = 8;

/** An agent may have become able to take more than there was for it. */
export function noteFreed(core: CoreState, agent: Agent): void {
  core.freed.add(agent);
}

/** Asks for leases on behalf of agents that became free and found nothing to do. */
export function stealForFreed(core: CoreState): void {
  if (core.freed.size === 0) return;
  for (const agent of core.freed) if (core.crowded.size > 0) stealFor(core, agent);
  core.freed.clear();
}

function stealFor(core: CoreState, thief: Agent): void {
  if (roomOf(thief) !== 'slot') return;
  let wanted = thief.slots - thief.leases.size;
  let looks = HOLDERS_LOOKED_AT;
  for (const holder of core.crowded) {
    if (wanted === 0 || looks === 0) return;
    looks -= 1;
    if (holder === thief) continue;
    wanted -= recall(core, holder, wanted, ({ needs }) => isCapable(thief, needs));
  }
}

/** An agent was heard: what it holds too much is asked back where somebody else would begin it at once. */
export function relieve(core: CoreState, holder: Agent): void {
  if (!core.crowded.has(holder)) return;
  recall(core, holder, holder.leases.size, ({ needs }) => core.queue.hasFreeAgent(needs));
}

/** Asks for up to so many leases; returns for how many it has asked. */
function recall(
  core: CoreState,
  holder: Agent,
  most: number,
  isWanted: (task: AgentLease['task']) => boolean,
): number {
  const excess = holder.leases.size - holder.slots;
  if (excess <= 0 || holder.connectionId === undefined) {
    core.crowded.delete(holder);
    return 0;
  }
  if (!isWorthIt(core, holder)) return 0;
  const leases: Lease[] = [];
  const behind = [...holder.leases].slice(holder.slots).reverse();
  for (const lease of behind) {
    if (leases.length === most) break;
    const { task, started, fenced, isRecalled, epoch, attempt } = lease;
    if (started || fenced || isRecalled || !isWanted(task)) continue;
    lease.isRecalled = true;
    leases.push({ epoch, taskId: task.taskId, attempt });
  }
  if (leases.length === 0) return 0;
  core.send(holder.connectionId, 'dispatch', { type: 'LeaseRecall', body: { leases } });
  return leases.length;
}

/** Judged by what tasks of the holder take, and by how long it has been busy with the one that it was given first. */
function isWorthIt(core: CoreState, { leases, serviceTimeMs }: Agent): boolean {
  const since = leases.first?.dispatchedAtMs ?? core.nowMs;
  return Math.max(serviceTimeMs, core.nowMs - since) >= WORTH_MS;
}
