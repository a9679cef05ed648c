/** How agents come, stay and go. */
import type { AgentHandshake, BodyOf, HeartbeatMessage, Lease } from '@quic-swarm/protocol';
import { createAgent, leaseOf, removeLease, type Agent } from './agent-record.ts';
import { forgetHeld } from './datasets.ts';
import type { AgentJoined } from './events.ts';
import { resume } from './leasing.ts';
import {
  checkLiveness,
  observe,
  setAgentTimer,
  suspect,
  suspectInMs,
  watchLiveness,
} from './liveness.ts';
import type { CoreState } from './state.ts';
import { relieve } from './stealing.ts';
import { giveBack, lose, tellAgentToStop } from './task-flow.ts';
import type { AgentLease, Task } from './task.ts';

/** An agent introduced itself: registered, resumed, or turned away. */
export function join(core: CoreState, event: AgentJoined): void {
  const { handshake, connectionId } = event;
  const known = core.agents.get(handshake.agentId);
  if (core.draining) {
    core.turnAway(connectionId, 'DRAINING', 'The coordinator is shutting down.', {
      retryAfterMs: 1000,
    });
    return;
  }
  const returns = known !== undefined && known.sessionToken === handshake.sessionToken;
  if (known?.connectionId !== undefined && !returns && !known.suspect) {
    core.turnAway(
      connectionId,
      'DUPLICATE_AGENT',
      `An agent with the id ${handshake.agentId} is connected from ${known.address}.`,
      {
        hint: 'Choose another id, or stop the other agent first.',
        // An agent that was killed and started again finds its own shadow here until that is seen to be silent.
        retryAfterMs: suspectInMs(core, known),
      },
    );
    return;
  }
  if (known?.connectionId !== undefined) {
    supersede(core, known, returns);
  }
  const agent = returns && known.agentType === handshake.agentType ? known : createAgent(handshake);
  if (known !== undefined && agent !== known) forget(core, known);
  register(core, agent, event, returns);
}

/** The agent is back on a new connection (or was restarted) before the old one was known to be dead. */
function supersede(core: CoreState, agent: Agent, returns: boolean): void {
  const { connectionId } = agent;
  loseAgent(core, agent, returns ? 'came back on a new connection' : 'replaced by a new process');
  if (connectionId !== undefined) {
    core.effects.push({
      type: 'Close',
      connectionId,
      errorType: 'SESSION_UNKNOWN',
      message: 'The agent is connected anew.',
    });
  }
}

function register(core: CoreState, agent: Agent, event: AgentJoined, returns: boolean): void {
  const { handshake, connectionId, nowMs } = { ...event, nowMs: core.nowMs };
  core.timers.cancel(agent.sessionTimer);
  Object.assign(agent, {
    address: event.address,
    connectionId,
    sessionToken: event.sessionToken,
    capabilities: new Set(handshake.capabilities),
    tunables: new Set(),
    labels: handshake.labels,
    slots: handshake.slots,
    credit: 0,
    dispatchOpen: false,
    draining: false,
    suspect: false,
    dispatchSequence: 0,
    unsentSequences: [],
    connectedAtMs: nowMs,
    lastHeardMs: nowMs,
    lastHeartbeat: undefined,
  });
  core.agents.set(agent.agentId, agent);
  core.agentByConnection.set(connectionId, agent);
  core.queue.capabilitiesChanged(agent);
  watchLiveness(core, agent);
  const resumedLeases = resumeLeases(core, agent, handshake);
  agent.resumable.clear();
  core.send(connectionId, 'control', {
    type: 'AgentAck',
    body: {
      protocol: event.protocol,
      sessionToken: event.sessionToken,
      epoch: core.options.epoch,
      heartbeatIntervalMs: core.options.heartbeatIntervalMs,
      heartbeatTimeoutMs: core.options.lostAfterMs,
      idleHeartbeatIntervalMs: core.options.idleHeartbeatIntervalMs,
      idleHeartbeatTimeoutMs: core.options.idleLostAfterMs,
      reconnectGraceMs: core.options.reconnectGraceMs,
      streams: ['dispatch', 'task', 'dataset'],
      grants: grantsOf(core),
      features: [...core.options.features],
      resumedLeases,
    },
  });
  observe(core, agent, returns ? 'resumed' : 'joined', `${resumedLeases.length} leases resumed`);
}

/** What a joining side may do. */
export function grantsOf({ options }: CoreState): BodyOf<'AgentAck'>['grants'] {
  const { payloadBytesMax, datasetBytesMax, streamsMax } = options;
  return { payloadBytesMax, datasetBytesMax, streamsMax };
}

/** Leases that the agent still holds and that nobody else was given meanwhile. */
function resumeLeases(core: CoreState, agent: Agent, handshake: AgentHandshake): Lease[] {
  const resumed: Lease[] = [];
  for (const lease of handshake.heldLeases) {
    const task = core.tasks.get(lease.taskId);
    if (task?.state !== 'queued') continue;
    const mayResume =
      lease.epoch === core.options.epoch
        ? agent.resumable.get(lease.taskId) === lease.attempt && task.attempt === lease.attempt
        : mayReturn(core, task, agent, lease);
    if (!mayResume) continue;
    resume(core, task, agent, lease);
    resumed.push(lease);
  }
  return resumed;
}

/**
 * May an agent go on with a task of an earlier life? When it is the one that is awaited; and when nothing of its lease was
 * written down, but the task has not been given to anybody in this life.
 */
function mayReturn(core: CoreState, task: Task, agent: Agent, lease: Lease): boolean {
  const { durability } = task;
  if (durability === undefined || lease.epoch > core.options.epoch) return false;
  const { returning } = durability;
  if (returning !== undefined) {
    const { agentId, epoch, attempt } = returning;
    return agentId === agent.agentId && epoch === lease.epoch && attempt === lease.attempt;
  }
  return lease.attempt > task.attempt && task.split === undefined;
}

/** A heartbeat: answer it, and repair what the two sides believe differently about leases. */
export function heartbeat(core: CoreState, agent: Agent, message: HeartbeatMessage): void {
  agent.lastHeartbeat = message;
  core.send(agent.connectionId ?? '', 'control', {
    type: 'HeartbeatAck',
    body: { sequence: message.sequence },
  });
  // Most agents are idle most of the time, and a thousand of them say so two thousand times a second.
  if (agent.leases.size > 0) dropUnlisted(core, agent, message);
  for (const lease of message.leases) repairListed(core, agent, lease);
  relieve(core, agent);
}

/** Leases that arrived at the agent and that it does not list: it does not have them. */
function dropUnlisted(core: CoreState, agent: Agent, message: HeartbeatMessage): void {
  // An agent may list several attempts of one task: the one that it has, and one whose result nobody has acknowledged.
  const nameOf = (taskId: string, { epoch, attempt }: { epoch: number; attempt: number }): string =>
    `${taskId} ${epoch} ${attempt}`;
  const listed = new Set(message.leases.map((lease) => nameOf(lease.taskId, lease)));
  for (const lease of agent.leases) {
    const arrived = lease.dispatchSequence <= message.lastDispatchSequence;
    if (arrived && !listed.has(nameOf(lease.task.taskId, lease))) {
      dropLease(core, agent, lease, 'the agent does not have it');
    }
  }
}

function repairListed(core: CoreState, agent: Agent, listed: Lease): void {
  const lease = leaseOf(agent, listed.taskId, core.tasks.get(listed.taskId));
  const holds = lease?.attempt === listed.attempt && lease.epoch === listed.epoch && !lease.fenced;
  if (holds && lease.task.cancelRequested !== undefined) {
    // The first CancelTask may have overtaken a task that came on a stream of its own.
    tellAgentToStop(core, lease.task, lease.task.cancelRequested, core.options.cancelGraceMs);
  } else if (!holds) {
    core.send(agent.connectionId ?? '', 'control', {
      type: 'CancelTask',
      body: {
        taskId: listed.taskId,
        epoch: listed.epoch,
        attempt: listed.attempt,
        reason: 'This lease is over.',
        graceMs: core.options.cancelGraceMs,
      },
    });
  }
}

/** Takes a lease from an agent; its task, if the lease still held, runs elsewhere. */
export function dropLease(core: CoreState, agent: Agent, lease: AgentLease, _why: string): void {
  removeLease(agent, lease);
  core.queue.availabilityChanged(agent);
  const task = taskOf(lease);
  if (task !== undefined) lose(core, task, agent.agentId);
}

/** The task of a lease that still holds. */
export function taskOf(lease: AgentLease): Task | undefined {
  const { task, fenced } = lease;
  return task.lease === lease && !fenced ? task : undefined;
}

/** Leases that come back un-started: the agent leaves, was asked for them, or is held up by what it computes. */
export function returnLeases(core: CoreState, agent: Agent, leases: readonly Lease[]): void {
  // Each is put in front of those before it, so that they keep their order.
  for (const lease of [...leases].reverse()) returnLease(core, agent, lease, 0);
}

/** One lease that comes back. `delayMs` keeps a task from bouncing off an agent that refuses it. */
export function returnLease(
  core: CoreState,
  agent: Agent,
  { epoch, taskId, attempt }: Lease,
  delayMs: number,
): void {
  const lease = leaseOf(agent, taskId, core.tasks.get(taskId));
  if (lease?.attempt !== attempt || lease.epoch !== epoch) return;
  removeLease(agent, lease);
  core.queue.availabilityChanged(agent);
  const task = taskOf(lease);
  if (task !== undefined) giveBack(core, task, agent.agentId, delayMs);
}

/** The liveness timer fired: an agent that was silent for too long is lost. */
export function loseIfSilent(core: CoreState, agent: Agent, timerAtMs: number): void {
  const { connectionId } = agent;
  if (connectionId === undefined) return;
  const silentMs = checkLiveness(core, agent, timerAtMs);
  if (silentMs === undefined) return;
  loseAgent(core, agent, `silent for ${Math.round(silentMs)} ms`);
  core.effects.push({
    type: 'Close',
    connectionId,
    errorType: 'IDLE_TIMEOUT',
    message: `No heartbeat for ${Math.round(silentMs)} ms.`,
  });
}

/** The agent's connection was ended here and it will be back at once: it keeps its tasks until it counts as silent. */
export function awaitReturn(core: CoreState, agent: Agent, why: string): void {
  suspect(core, agent, why);
  watchLiveness(core, agent);
}

/** The agent is gone without a word: its tasks run elsewhere, but it may come back for those nobody took yet. */
export function loseAgent(core: CoreState, agent: Agent, why: string): void {
  disconnect(core, agent);
  agent.resumable = new Map();
  // Each is put in front of those before it, so that they keep their order.
  for (const lease of [...agent.leases].reverse()) {
    removeLease(agent, lease);
    const task = taskOf(lease);
    if (task === undefined) continue;
    agent.resumable.set(task.taskId, lease.attempt);
    lose(core, task, agent.agentId);
  }
  const graceEndsMs = core.nowMs + core.options.reconnectGraceMs;
  agent.sessionTimer = setAgentTimer(core, agent, 'session', graceEndsMs);
  observe(core, agent, 'lost', why);
}

/** The agent said goodbye: it has returned or finished everything. */
export function leave(core: CoreState, agent: Agent, reason: string): void {
  disconnect(core, agent);
  for (const lease of [...agent.leases].reverse()) dropLease(core, agent, lease, reason);
  forget(core, agent);
  observe(core, agent, 'left', reason);
}

/** Nobody came back in time, or nobody needs to. */
export function forget(core: CoreState, agent: Agent): void {
  core.timers.cancel(agent.livenessTimer);
  core.timers.cancel(agent.sessionTimer);
  if (core.agents.get(agent.agentId) === agent) core.agents.delete(agent.agentId);
}

/** The time to come back is over. */
export function giveUpSession(core: CoreState, agent: Agent): void {
  forget(core, agent);
  observe(core, agent, 'left', 'did not come back in time');
}

function disconnect(core: CoreState, agent: Agent): void {
  if (agent.connectionId !== undefined) core.agentByConnection.delete(agent.connectionId);
  agent.connectionId = undefined;
  forgetHeld(core, agent);
  core.timers.cancel(agent.livenessTimer);
  core.crowded.delete(agent);
  core.freed.delete(agent);
  core.queue.capabilitiesChanged(agent);
}

/** Takes an agent out of service or back, as an operator asked. */
export function control(
  core: CoreState,
  agent: Agent,
  action: BodyOf<'AgentControl'>['action'],
  deadlineMs: number,
): void {
  agent.cordoned = action !== 'resume';
  core.queue.availabilityChanged(agent);
  observe(
    core,
    agent,
    action === 'resume' ? 'resumed-service' : action === 'drain' ? 'draining' : 'cordoned',
    'asked for by a client',
  );
  if (action === 'drain' && agent.connectionId !== undefined) {
    core.send(agent.connectionId, 'control', {
      type: 'Drain',
      body: { deadlineMs, reason: 'An operator asked for it.' },
    });
  }
}

/** The agent announced that it leaves. */
export function noteDraining(core: CoreState, agent: Agent, reason: string): void {
  agent.draining = true;
  core.queue.availabilityChanged(agent);
  observe(core, agent, 'draining', reason);
}
