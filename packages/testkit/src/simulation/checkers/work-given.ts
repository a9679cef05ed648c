/** No task waits while an agent that could compute it has room: looked for anew, without the queue's own indexes. */
import type { CoordinatorCore } from '@quic-swarm/coordinator';
import type { TaskNames } from '../names.ts';
import type { Observer } from '../observer.ts';
import { Violation } from '../violation.ts';

type State = CoordinatorCore['state'];
type CoreAgent = State['agents'] extends Map<string, infer Agent> ? Agent : never;

/** See the head of this file. */
export class WorkGiven implements Observer {
  readonly #names: TaskNames;
  readonly #everyNth: number;
  #settled = 0;

  /** @param everyNth looking costs as much as there are tasks and agents */
  constructor(names: TaskNames, everyNth: number) {
    this.#names = names;
    this.#everyNth = everyNth;
  }

  coordinatorSettled({ state }: CoordinatorCore): void {
    this.#settled += 1;
    if (this.#settled % this.#everyNth !== 0) return;
    const free = [...state.agents.values()].filter(hasFreeSlot);
    if (free.length === 0) return;
    for (const task of state.tasks.values()) {
      const isReleased = (task.timers?.release?.index ?? -1) < 0;
      if (task.state !== 'queued' || task.split !== undefined || !isReleased) continue;
      const agent = free.find((each) => canCompute(each, task.needs));
      if (agent === undefined) continue;
      const sentence = `It waits although ${agent.agentId} has a free slot and could compute it.`;
      throw new Violation('work given', sentence, [this.#names.of(task.taskId), agent.agentId]);
    }
  }
}

function hasFreeSlot(agent: CoreAgent): boolean {
  const { connectionId, dispatchOpen, suspect, cordoned, draining, leases, slots, credit } = agent;
  if (connectionId === undefined || !dispatchOpen || suspect || cordoned || draining) return false;
  return leases.size < slots && leases.size < credit;
}

function canCompute(
  { agentType, capabilities, labels }: CoreAgent,
  needs: {
    readonly taskType: string;
    readonly agentType: string | undefined;
    readonly labels: Readonly<Record<string, string>> | undefined;
  },
): boolean {
  if (needs.agentType !== undefined && needs.agentType !== agentType) return false;
  if (!capabilities.has(needs.taskType)) return false;
  return Object.entries(needs.labels ?? {}).every(([name, value]) => labels[name] === value);
}
