/**
 * Which of several able agents gets a task. Power of two choices: two candidates drawn at random and the better one
 * taken comes close to looking at all of them (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing",
 * 2001) and costs the same for ten agents and for a thousand. Few candidates are all looked at.
 */
import type { Agent } from './agent-record.ts';
import type { AgentSet } from './queue.ts';
import type { SeededRandom } from './random.ts';
import type { Task } from './task.ts';

const ALL_UP_TO = 8;
const SAMPLES = 2;
/** Weight of the last service time in the moving average. */
const SERVICE_TIME_WEIGHT = 0.1;

/** The agent that should get the task; `candidates` is not empty. */
export function chooseAgent(task: Task, candidates: AgentSet, random: SeededRandom): Agent {
  const all = candidates.size <= ALL_UP_TO;
  const looks = all ? candidates.size : SAMPLES;
  let best = candidates.at(all ? 0 : random.below(candidates.size));
  let bestCost = costOf(best, task);
  for (let i = 1; i < looks; i++) {
    const candidate = candidates.at(all ? i : random.below(candidates.size));
    const cost = costOf(candidate, task);
    if (cost < bestCost) {
      best = candidate;
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
