/**
 * Whether an agent is still there, judged by its silence. An agent at work is suspect after two missed heartbeats and
 * lost after `lostAfterMs`. An idle one says less often that it is there and may be silent for longer, because nothing
 * waits for it: its clock starts with the lease that it is given.
 */
import type { Agent } from './agent-record.ts';
import type { AgentTimer } from './core-timer.ts';
import type { AgentChanged } from './effects.ts';
import type { CoreState } from './state.ts';

/** Any sign of life. */
export function heard(core: CoreState, agent: Agent): void {
  agent.lastHeardMs = core.nowMs;
  if (!agent.suspect) return;
  agent.suspect = false;
  core.queue.availabilityChanged(agent);
  observe(core, agent, 'recovered', 'heard again');
}

/** The agent gets no new work until it is heard again. */
export function suspect(core: CoreState, agent: Agent, why: string): void {
  agent.suspect = true;
  core.queue.availabilityChanged(agent);
  observe(core, agent, 'suspect', why);
}

/** The liveness timer fired. Returns for how long the agent was silent when that is too long: it is lost. */
export function checkLiveness(
  core: CoreState,
  agent: Agent,
  timerAtMs: number,
): number | undefined {
  const { heartbeatIntervalMs } = core.options;
  if (core.nowMs - timerAtMs > heartbeatIntervalMs) {
    // This process itself was held up, and what the agent said meanwhile is still unread: look again.
    scheduleCheck(core, agent, core.nowMs + heartbeatIntervalMs);
    return undefined;
  }
  const { sinceMs, suspectAfterMs, lostAfterMs } = patienceWith(core, agent);
  const silentMs = core.nowMs - sinceMs;
  // Asked in the same sums by which the timer was set: times have fractions, and with others rounding could find that an
  // agent is not due yet whose timer is, which would be set again for the same moment without end.
  if (core.nowMs >= sinceMs + lostAfterMs) return silentMs;
  if (core.nowMs >= sinceMs + suspectAfterMs && !agent.suspect) {
    suspect(core, agent, `silent for ${Math.round(silentMs)} ms`);
  }
  watchLiveness(core, agent);
  return undefined;
}

/** In how long the agent becomes suspect when it goes on being silent. */
export function suspectInMs(core: CoreState, agent: Agent): number {
  const { sinceMs, suspectAfterMs } = patienceWith(core, agent);
  return Math.max(1, Math.ceil(sinceMs + suspectAfterMs - core.nowMs));
}

/** Sets the timer for the next look at the agent. */
export function watchLiveness(core: CoreState, agent: Agent): void {
  const { sinceMs, suspectAfterMs, lostAfterMs } = patienceWith(core, agent);
  const dueAtMs = sinceMs + (agent.suspect ? lostAfterMs : suspectAfterMs);
  // An idle agent may be given a lease at any time, which shortens the patience with it: looking more often is cheaper
  // than setting its timer with every lease.
  const lookAgainAtMs = core.nowMs + core.options.suspectAfterMs;
  scheduleCheck(core, agent, Math.min(dueAtMs, lookAgainAtMs));
}

/** Since when the agent owes a word, and how long it may take. */
function patienceWith(
  { options }: CoreState,
  agent: Agent,
): { sinceMs: number; suspectAfterMs: number; lostAfterMs: number } {
  const { suspectAfterMs, lostAfterMs, idleSuspectAfterMs, idleLostAfterMs } = options;
  const oldest = agent.leases.first;
  if (oldest === undefined) {
    return {
      sinceMs: agent.lastHeardMs,
      suspectAfterMs: idleSuspectAfterMs,
      lostAfterMs: idleLostAfterMs,
    };
  }
  // Without a word on any lease the agent may not know of one yet, a long payload being on its way, and still say only as
  // often as an idle one that it is there.
  let knowsThatItIsBusy = false;
  for (const { started } of agent.leases) knowsThatItIsBusy ||= started;
  return {
    sinceMs: Math.max(agent.lastHeardMs, oldest.dispatchedAtMs),
    suspectAfterMs: knowsThatItIsBusy ? suspectAfterMs : lostAfterMs,
    lostAfterMs,
  };
}

function scheduleCheck(core: CoreState, agent: Agent, atMs: number): void {
  core.timers.cancel(agent.livenessTimer);
  agent.livenessTimer = setAgentTimer(core, agent, 'liveness', atMs);
}

/** Sets a timer about an agent; whoever asks keeps it to cancel it. */
export function setAgentTimer(
  core: CoreState,
  agent: Agent,
  kind: AgentTimer['kind'],
  atMs: number,
): AgentTimer {
  const timer: AgentTimer = { atMs, kind, agent, index: -1 };
  core.timers.schedule(timer);
  return timer;
}

/** Tells observers what became of an agent. */
export function observe(
  core: CoreState,
  agent: Agent,
  change: AgentChanged['change'],
  reason: string,
): void {
  const { agentId, agentType, address } = agent;
  core.effects.push({ type: 'AgentChanged', agentId, agentType, address, change, reason });
}
