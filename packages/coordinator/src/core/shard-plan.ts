/** Into how many parts a task is split, which positions each has, and what it is called. */
import { SHARDS_MAX } from '@quic-swarm/protocol';
import { isCapable, type Agent } from './agent-record.ts';
import type { CoreState } from './state.ts';
import type { Split, Task } from './task.ts';

/**
 * A shard of `auto` has so many positions at least: several hundred milliseconds of a pattern search, beside which a
 * message, a lease and a merge are nothing.
 */
const SHARD_POSITIONS_MIN = 100_000;

/**
 * The count that was asked for, or for `auto`: one shard for each slot of the agents that could take one now, but none
 * with fewer positions than pay. With a single agent there is nothing to split, since its threads share one task among
 * themselves. Slots and not agents are counted so that each agent gets work in proportion to its threads, whatever it is
 * beside the others.
 *
 * Never more than there are positions, or than the queue has room for: how a task is split changes nothing in its answer.
 */
export function shardCountOf(core: CoreState, task: Task, { wanted, positions }: Split): number {
  const room = core.options.pendingTasksMax - core.pendingTasks;
  const count = wanted === 'auto' ? suitableCount(core, task, positions) : wanted;
  return Math.max(1, Math.min(count, positions, room, SHARDS_MAX));
}

function suitableCount(core: CoreState, task: Task, positions: number): number {
  const agents = [...core.agents.values()].filter((agent) => isUsable(agent, task));
  if (agents.length < 2) return 1;
  const slots = agents.reduce((sum, agent) => sum + agent.slots, 0);
  return Math.min(slots, Math.floor(positions / SHARD_POSITIONS_MIN));
}

function isUsable(agent: Agent, task: Task): boolean {
  const stays = !agent.suspect && !agent.cordoned && !agent.draining;
  return agent.connectionId !== undefined && stays && isCapable(agent, task.needs);
}

/** Contiguous ranges that together are 0 … positions, of sizes that differ by one at most. */
export function rangesOf(positions: number, count: number): { start: number; end: number }[] {
  const size = Math.floor(positions / count);
  const larger = positions % count;
  const ranges: { start: number; end: number }[] = [];
  let start = 0;
  for (let index = 0; index < count; index += 1) {
    const end = start + size + (index < larger ? 1 : 0);
    ranges.push({ start, end });
    start = end;
  }
  return ranges;
}

/**
 * The id of a shard: a UUID of version 8 (RFC 9562 §5.8) that begins like its parent's and goes on with a hash of it. The
 * parent's own version is another one, so that the two kinds never meet unless somebody wants them to.
 * @param salt another one for another try, where the id is taken
 */
export function shardIdOf(parentId: string, index: number, salt: number): string {
  const text = `${parentId} ${index} ${salt}`;
  const a = hash32(text, 0x811c9dc5).toString(16).padStart(8, '0');
  const b = hash32(text, 0x01234567).toString(16).padStart(8, '0');
  const c = hash32(text, 0x89abcdef).toString(16).padStart(8, '0');
  return `${parentId.slice(0, 13)}-8${a.slice(0, 3)}-8${a.slice(3, 6)}-${b}${c.slice(0, 4)}`;
}

/** FNV-1a with a finish that spreads what the last characters change (MurmurHash3's). */
function hash32(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
