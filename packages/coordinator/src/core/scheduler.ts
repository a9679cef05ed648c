/**
 * Which of several able agents gets a task. Power of two choices: two candidates drawn at random and the better one
 * taken comes close to looking at all of them (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing",
 * 2001) and costs the same for ten agents and for a thousand. Few candidates are all looked at. Two of a thousand are
 * hardly ever among the three that have the task's data set in memory, so some of those are looked at as well.
 */
import type { Agent } from './agent-record.ts';
import type { AgentSet } from './agent-set.ts';
import type { SeededRandom } from './random.ts';
import type { Task } from './task.ts';

const ALL_UP_TO = 8;
const SAMPLES = 2;
/** Of so many of the task's data sets the holders are looked at; a task has one or two. */
const DATASETS_LOOKED_UP = 4;
/** Weight of the last service time in the moving average. */
const SERVICE_TIME_WEIGHT = 0.1;

/** Who has which data set in memory. */
export type Holders = ReadonlyMap<string, AgentSet>;

/**
 * The agent that should get the task; `candidates` is not empty, and either all of them have a free slot or none has.
 */
export function chooseAgent(
  task: Task,
  candidates: AgentSet,
  holders: Holders,
  random: SeededRandom,
): Agent {
  const best = bestOf(task, candidates, candidates, undefined, random);
  // All were looked at, or there is nothing to be near to.
  const isChosen = candidates.size <= ALL_UP_TO || task.datasets.length === 0;
  return isChosen ? best : nearer(task, candidates, holders, best, random);
}

/** The agent that is there most surely; one of the sets is not empty. */
export function lastHeardOf(sets: readonly AgentSet[]): Agent {
  let last: Agent | undefined;
  for (const candidates of sets) {
    for (let i = 0; i < candidates.size; i++) {
      const agent = candidates.at(i);
      if (last === undefined || agent.lastHeardMs > last.lastHeardMs) last = agent;
    }
  }
  return last as Agent;
}

/** The best of some that hold the task's data sets, where it is better than the one found so far. */
function nearer(
  task: Task,
  candidates: AgentSet,
  holders: Holders,
  found: Agent,
  random: SeededRandom,
): Agent {
  let best = found;
  const lookedUp = Math.min(task.datasets.length, DATASETS_LOOKED_UP);
  for (let i = 0; i < lookedUp; i++) {
    const near = holders.get(task.datasets[i] as string);
    if (near !== undefined) best = bestOf(task, near, candidates, best, random);
  }
  return best;
}

/** Looks at all of a few agents or at two of many, leaving out those that are no candidates. */
function bestOf(
  task: Task,
  agents: AgentSet,
  candidates: AgentSet,
  found: Agent | undefined,
  random: SeededRandom,
): Agent {
  const all = agents.size <= ALL_UP_TO;
  const looks = all ? agents.size : SAMPLES;
  let best = found ?? agents.at(all ? 0 : random.below(agents.size));
  let bestCost = costOf(best, task);
  for (let i = found === undefined ? 1 : 0; i < looks; i++) {
    const agent = agents.at(all ? i : random.below(agents.size));
    if (agents !== candidates && !candidates.has(agent)) continue;
    const cost = costOf(agent, task);
    if (cost < bestCost) {
      best = agent;
      bestCost = cost;
    }
  }
  return best;
}

/** Moves the moving average of an agent's time in the handler. */
export function noteServiceTime(agent: Agent, computeMs: number): void {
  agent.serviceTimeMs =
    agent.serviceTimeMs === 0
      ? computeMs
      : agent.serviceTimeMs + SERVICE_TIME_WEIGHT * (computeMs - agent.serviceTimeMs);
}

/**
 * The expected wait at the agent in units of its own service time, plus what it takes to fetch data sets that it lacks
 * (counted as one service each: a transfer costs about as much as a search in it), plus a little for being slow.
 */
function costOf(agent: Agent, task: Task): number {
  const busy = agent.leases.size / agent.slots;
  let missing = 0;
  for (const datasetId of task.datasets) if (!agent.datasets.has(datasetId)) missing += 1;
  return (busy + missing) * (1 + agent.serviceTimeMs) + agent.serviceTimeMs;
}
