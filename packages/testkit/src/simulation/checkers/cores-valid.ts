/** Both cores agree with their own invariants after each event, or after every so many in long runs. */
import { validate as validateAgent, type AgentCore } from '@quic-swarm/agent';
import { validate as validateCoordinator, type CoordinatorCore } from '@quic-swarm/coordinator';
import type { Observer } from '../observer.ts';

/** See the head of this file. */
export class CoresValid implements Observer {
  readonly #everyNth: number;
  #settled = 0;

  constructor(everyNth: number) {
    this.#everyNth = everyNth;
  }

  coordinatorSettled(core: CoordinatorCore): void {
    if (this.#isDue()) validateCoordinator(core.state);
  }

  agentSettled(_agentId: string, core: AgentCore): void {
    if (this.#isDue()) validateAgent(core);
  }

  #isDue(): boolean {
    this.#settled += 1;
    return this.#settled % this.#everyNth === 0;
  }
}
