/** A set of agents from which one can be drawn at random. */
import type { Agent } from './agent-record.ts';

/** The place of an agent that is not in the set now, but was before. */
const OUT = -1;

/**
 * Agents in no order, with removal and random choice in constant time. Those that leave keep an entry until they are
 * forgotten: they come and go with every task, and a Map that shrinks and grows each time costs many times as much.
 */
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
    return (this.#places.get(agent) ?? OUT) !== OUT;
  }

  add(agent: Agent): void {
    if (this.has(agent)) return;
    this.#places.set(agent, this.#agents.length);
    this.#agents.push(agent);
  }

  delete(agent: Agent): void {
    const place = this.#places.get(agent);
    if (place === undefined || place === OUT) return;
    this.#places.set(agent, OUT);
    const last = this.#agents.pop() as Agent;
    if (last === agent) return;
    this.#agents[place] = last;
    this.#places.set(last, place);
  }

  /** Takes an agent out that will not come back. */
  forget(agent: Agent): void {
    this.delete(agent);
    this.#places.delete(agent);
  }
}
