/** What the coordinator knows of one agent, connected or lost a moment ago. */
import {
  Chain,
  type AgentHandshake,
  type AgentState,
  type AgentType,
  type HeartbeatMessage,
} from '@quic-swarm/protocol';
import type { AgentLease, Task } from './task.ts';
import type { Scheduled } from './timers.ts';

/**
 * One agent.
 *
 * Invariants (checked by `validate.ts`):
 * 1. `leases.size` ≤ `credit`, unless the agent lowered its credit afterwards.
 * 2. `connectionId` is undefined exactly in state `lost`; a lost agent has no leases.
 * 3. It is among the agents of each of its buckets exactly where `roomOf` says.
 */
export interface Agent {
  readonly agentId: string;
  readonly agentType: AgentType;
  address: string;
  connectionId: string | undefined;
  sessionToken: string;
  capabilities: ReadonlySet<string>;
  /** Task types whose handler can be told to do it in another way. */
  tunables: ReadonlySet<string>;
  labels: Readonly<Record<string, string>>;
  slots: number;
  credit: number;
  dispatchOpen: boolean;
  cordoned: boolean;
  draining: boolean;
  suspect: boolean;
  /** In the order in which they were given. */
  readonly leases: Chain<AgentLease>;
  /** Those of them whose tasks have moved on, by task id. Hardly ever any. */
  readonly fenced: Map<string, AgentLease>;
  dispatchSequence: number;
  /** Sequences up to this one that no message has: what they were for was taken back before it was sent. */
  unsentSequences: number[];
  connectedAtMs: number;
  lastHeardMs: number;
  lastHeartbeat: HeartbeatMessage | undefined;
  /** Data sets that it fetched on this connection. */
  readonly datasets: Set<string>;
  /** Moving average of the time in the handler. */
  serviceTimeMs: number;
  /** Leases of a lost agent that it may take up again: task id to attempt. */
  resumable: Map<string, number>;
  livenessTimer: Scheduled | undefined;
  sessionTimer: Scheduled | undefined;
}

/** A new agent without a connection. */
export function createAgent(handshake: AgentHandshake): Agent {
  return {
    agentId: handshake.agentId,
    agentType: handshake.agentType,
    address: '',
    connectionId: undefined,
    sessionToken: '',
    capabilities: new Set(handshake.capabilities),
    tunables: new Set(),
    labels: handshake.labels,
    slots: handshake.slots,
    credit: 0,
    dispatchOpen: false,
    cordoned: false,
    draining: false,
    suspect: false,
    leases: new Chain(),
    fenced: new Map(),
    dispatchSequence: 0,
    unsentSequences: [],
    connectedAtMs: 0,
    lastHeardMs: 0,
    lastHeartbeat: undefined,
    datasets: new Set(),
    serviceTimeMs: 0,
    resumable: new Map(),
    livenessTimer: undefined,
    sessionTimer: undefined,
  };
}

/** The agent's lease of a task; undefined when it has none. */
export function leaseOf(
  agent: Agent,
  taskId: string,
  task: Task | undefined,
): AgentLease | undefined {
  // Tasks know who has them; only of those that have moved on is a list kept.
  if (task?.lease !== undefined && task.agentId === agent.agentId) return task.lease;
  return agent.fenced.size === 0 ? undefined : agent.fenced.get(taskId);
}

/** The agent has one place more. */
export function removeLease(agent: Agent, lease: AgentLease): void {
  agent.leases.remove(lease);
  if (lease.fenced) agent.fenced.delete(lease.task.taskId);
}

/**
 * Which of its places an agent's next task would take: a slot that is free; the tenth more that every agent is given,
 * so that a slot never waits for the wire; what an agent takes ahead because its tasks are tiny; or none.
 */
export type Room = 'slot' | 'tenth' | 'ahead' | 'none';

/** Where the agent's next task would go, now. */
export function roomOf(agent: Agent): Room {
  const held = agent.leases.size;
  const mayBeGiven =
    agent.connectionId !== undefined &&
    agent.dispatchOpen &&
    !agent.suspect &&
    !agent.cordoned &&
    !agent.draining &&
    held < agent.credit;
  if (!mayBeGiven) return 'none';
  if (held < agent.slots) return 'slot';
  return held < agent.slots + Math.ceil(0.1 * agent.slots) ? 'tenth' : 'ahead';
}

/** Does the agent have a place for a task of this kind? */
export function hasRoomFor(room: Room, kind: { readonly mayGoAhead: boolean }): boolean {
  return room === 'slot' || room === 'tenth' || (room === 'ahead' && kind.mayGoAhead);
}

/** The word for what the coordinator thinks of it. */
export function stateOf(agent: Agent): AgentState {
  if (agent.connectionId === undefined) return 'lost';
  if (agent.draining) return 'draining';
  if (agent.suspect) return 'suspect';
  return agent.cordoned ? 'cordoned' : 'ready';
}

/** Does it satisfy what tasks of this kind need, leaving aside whether it has time? */
export function isCapable(
  agent: Agent,
  needs: {
    readonly taskType: string;
    readonly agentType: AgentType | undefined;
    readonly labels: Readonly<Record<string, string>> | undefined;
  },
): boolean {
  if (needs.agentType !== undefined && agent.agentType !== needs.agentType) return false;
  if (!agent.capabilities.has(needs.taskType)) return false;
  const { labels } = needs;
  if (labels === undefined) return true;
  return Object.keys(labels).every((name) => agent.labels[name] === labels[name]);
}
