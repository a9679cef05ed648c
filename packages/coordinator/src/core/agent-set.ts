/** A set of agents from which one can be drawn at random. */
import type { Agent } from './agent-record.ts';

/** Agents in no order, with removal and random choice in constant time. */
export class AgentSet {
  readonly #agents: Agent[] = [];
  readonly #places = new Map<Agent, number>();

  get size(): number {
    return this.#agents.length;
  }

  at(index: number): Agent {
    return this.#agents[index] as Agent;
  }

  has(agent: Agent): boolean {
    return this.#places.has(agent);
  }

  add(agent: Agent): void {
    if (this.#places.has(agent)) return;
    this.#places.set(agent, this.#agents.length);
    this.#agents.push(agent);
  }

  delete(agent: Agent): void {
    const place = this.#places.get(agent);
    if (place === undefined) return;
    this.#places.delete(agent);
    const last = this.#agents.pop() as Agent;
    if (last === agent) return;
    this.#agents[place] = last;
    this.#places.set(last, place);
  }
}
