/** How agents come, stay and go. */
import type { AgentHandshake, BodyOf, HeartbeatMessage, Lease } from '@quic-swarm/protocol';
import { forgetHeld } from './datasets.ts';
import { createAgent, type Agent, type AgentLease } from './agent-record.ts';
import type { AgentJoined } from './events.ts';
import { giveBack, lose, resume, tellAgentToStop } from './task-flow.ts';
import type { CoreState } from './state.ts';
import type { AgentChanged } from './effects.ts';
import type { Task } from './task.ts';

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
      { hint: 'Choose another id, or stop the other agent first.' },
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
    labels: handshake.labels,
    slots: handshake.slots,
    credit: 0,
    dispatchOpen: false,
    draining: false,
    suspect: false,
    dispatchSequence: 0,
    connectedAtMs: nowMs,
    lastHeardMs: nowMs,
    lastHeartbeat: undefined,
  });
  core.agents.set(agent.agentId, agent);
  core.agentByConnection.set(connectionId, agent);
  core.queue.capabilitiesChanged(agent);
  watchLiveness(core, agent);
  const resumedLeases = returns ? resumeLeases(core, agent, handshake) : [];
  agent.resumable.clear();
  core.send(connectionId, 'control', {
    type: 'AgentAck',
    body: {
      protocol: event.protocol,
      sessionToken: event.sessionToken,
      epoch: core.options.epoch,
      heartbeatIntervalMs: core.options.heartbeatIntervalMs,
      heartbeatTimeoutMs: core.options.lostAfterMs,
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
    const mayResume =
      lease.epoch === core.options.epoch &&
      agent.resumable.get(lease.taskId) === lease.attempt &&
      task?.state === 'queued' &&
      task.attempt === lease.attempt;
    if (!mayResume) continue;
    resume(core, task, agent);
    resumed.push(lease);
  }
  return resumed;
}

/** Any sign of life. */
export function heard(core: CoreState, agent: Agent): void {
  agent.lastHeardMs = core.nowMs;
  if (!agent.suspect) return;
  agent.suspect = false;
  core.queue.availabilityChanged(agent);
  observe(core, agent, 'recovered', 'heard again');
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
}

/** Leases that arrived at the agent and that it does not list: it does not have them. */
function dropUnlisted(core: CoreState, agent: Agent, message: HeartbeatMessage): void {
  const listed = new Map(message.leases.map((lease) => [lease.taskId, lease]));
  for (const lease of agent.leases.values()) {
    const arrived = lease.dispatchSequence <= message.lastDispatchSequence;
    if (arrived && listed.get(lease.task.taskId)?.attempt !== lease.attempt) {
      dropLease(core, agent, lease, 'the agent does not have it');
    }
  }
}

function repairListed(core: CoreState, agent: Agent, listed: Lease): void {
  const lease = agent.leases.get(listed.taskId);
  const holds = lease?.attempt === listed.attempt && !lease.fenced;
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
  agent.leases.delete(lease.task.taskId);
  core.queue.availabilityChanged(agent);
  const task = taskOf(agent, lease);
  if (task !== undefined) lose(core, task, agent.agentId);
}

/** The task of a lease that still holds. */
export function taskOf(agent: Agent, { task, attempt, fenced }: AgentLease): Task | undefined {
  const holds =
    !fenced &&
    task.agentId === agent.agentId &&
    task.attempt === attempt &&
    (task.state === 'dispatched' || task.state === 'running');
  return holds ? task : undefined;
}

/** Leases that come back un-started: the agent leaves, was asked for them, or is held up by what it computes. */
export function returnLeases(core: CoreState, agent: Agent, leases: readonly Lease[]): void {
  // Each is put in front of those before it, so that they keep their order.
  for (const { taskId, attempt } of [...leases].reverse()) {
    returnLease(core, agent, taskId, attempt, 0);
  }
}

/** One lease that comes back. `delayMs` keeps a task from bouncing off an agent that refuses it. */
export function returnLease(
  core: CoreState,
  agent: Agent,
  taskId: string,
  attempt: number,
  delayMs: number,
): void {
  const lease = agent.leases.get(taskId);
  if (lease?.attempt !== attempt) return;
  agent.leases.delete(taskId);
  core.queue.availabilityChanged(agent);
  const task = taskOf(agent, lease);
  if (task !== undefined) giveBack(core, task, agent.agentId, delayMs);
}

/** The liveness timer fired: how long has it been silent? */
export function checkLiveness(core: CoreState, agent: Agent, timerAtMs: number): void {
  if (agent.connectionId === undefined) return;
  const { suspectAfterMs, lostAfterMs, heartbeatIntervalMs } = core.options;
  if (core.nowMs - timerAtMs > heartbeatIntervalMs) {
    // This process itself was held up, and what the agent said meanwhile is still unread: look again.
    agent.livenessTimer = core.timers.schedule(core.nowMs + heartbeatIntervalMs, {
      kind: 'liveness',
      agentId: agent.agentId,
    });
    return;
  }
  const silentMs = core.nowMs - agent.lastHeardMs;
  if (silentMs >= lostAfterMs) {
    const { connectionId } = agent;
    loseAgent(core, agent, `silent for ${Math.round(silentMs)} ms`);
    core.effects.push({
      type: 'Close',
      connectionId,
      errorType: 'IDLE_TIMEOUT',
      message: `No heartbeat for ${Math.round(silentMs)} ms.`,
    });
    return;
  }
  if (silentMs >= suspectAfterMs && !agent.suspect) {
    agent.suspect = true;
    core.queue.availabilityChanged(agent);
    observe(core, agent, 'suspect', `silent for ${Math.round(silentMs)} ms`);
  }
  watchLiveness(core, agent);
}

function watchLiveness(core: CoreState, agent: Agent): void {
  const { suspectAfterMs, lostAfterMs } = core.options;
  const limitMs = agent.suspect ? lostAfterMs : suspectAfterMs;
  core.timers.cancel(agent.livenessTimer);
  agent.livenessTimer = core.timers.schedule(agent.lastHeardMs + limitMs, {
    kind: 'liveness',
    agentId: agent.agentId,
  });
}

/** The agent's connection was ended here and it will be back at once: it keeps its tasks until it counts as silent. */
export function awaitReturn(core: CoreState, agent: Agent, why: string): void {
  agent.suspect = true;
  core.queue.availabilityChanged(agent);
  watchLiveness(core, agent);
  observe(core, agent, 'suspect', why);
}

/** The agent is gone without a word: its tasks run elsewhere, but it may come back for those nobody took yet. */
export function loseAgent(core: CoreState, agent: Agent, why: string): void {
  disconnect(core, agent);
  const leases = [...agent.leases.values()];
  agent.leases.clear();
  agent.resumable = new Map();
  for (const lease of leases) {
    const task = taskOf(agent, lease);
    if (task === undefined) continue;
    agent.resumable.set(task.taskId, lease.attempt);
    lose(core, task, agent.agentId);
  }
  agent.sessionTimer = core.timers.schedule(core.nowMs + core.options.reconnectGraceMs, {
    kind: 'session',
    agentId: agent.agentId,
  });
  observe(core, agent, 'lost', why);
}

/** The agent said goodbye: it has returned or finished everything. */
export function leave(core: CoreState, agent: Agent, reason: string): void {
  disconnect(core, agent);
  for (const lease of agent.leases.values()) dropLease(core, agent, lease, reason);
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

function observe(
  core: CoreState,
  agent: Agent,
  change: AgentChanged['change'],
  reason: string,
): void {
  const { agentId, agentType, address } = agent;
  core.effects.push({ type: 'AgentChanged', agentId, agentType, address, change, reason });
}
