/** When faults have stopped, all comes to an end: no task, no lease and no promise is left over. */
import type { CoordinatorCore } from '@quic-swarm/coordinator';
import { Violation } from '../violation.ts';
import type { World } from '../world.ts';

const RULE = 'everything ends';

/** True when nothing is left to do. */
export function isOver(world: World): boolean {
  const { coordinator, clients, agents } = world;
  if (coordinator.core.state.pendingTasks > 0 || leasesLeft(coordinator.core).length > 0)
    return false;
  for (const client of clients.values()) if (client.isRunning && !client.isContent) return false;
  for (const agent of agents.values()) {
    if (agent.isRunning && !agent.core.tasks.isIdle) return false;
  }
  return true;
}

/** Throws when something is left over, and says what. */
export function checkEnd(world: World): void {
  const { names, coordinator, clients, agents } = world;
  for (const client of clients.values()) {
    if (!client.isRunning || client.isContent) continue;
    const open = client.ledger.open.join(', ') || 'a request';
    const sentence = `${client.clientName} waits for ever for ${open}.`;
    throw new Violation(RULE, sentence, [...client.ledger.open, client.clientName].slice(0, 3));
  }
  for (const task of coordinator.core.state.tasks.values()) {
    if (task.endedAtMs !== undefined) continue;
    const name = names.of(task.taskId);
    throw new Violation(RULE, `${name} is ${task.state} for ever.`, [name]);
  }
  for (const agent of agents.values()) {
    if (!agent.isRunning || agent.core.tasks.isIdle) continue;
    const { agentId } = agent.specification;
    throw new Violation(RULE, `${agentId} holds leases for ever.`, [agentId]);
  }
  const [left] = leasesLeft(coordinator.core);
  if (left === undefined) return;
  const about = [names.of(left.taskId), left.agentId];
  throw new Violation(
    RULE,
    `The coordinator counts a lease of ${about.join(' at ')} for ever.`,
    about,
  );
}

function leasesLeft({ state }: CoordinatorCore): { taskId: string; agentId: string }[] {
  const left: { taskId: string; agentId: string }[] = [];
  for (const { leases, agentId } of state.agents.values()) {
    for (const { task } of leases) left.push({ taskId: task.taskId, agentId });
  }
  return left;
}
