/** A faulty network between a swarm's processes and its coordinator: one proxy for agents, one for clients. */
import { FaultProxy, type LinkFaults } from '@quic-swarm/testkit';
import { formatAddress, parseAddress } from '@quic-swarm/transport';
import type { ProcessSwarm } from './process-swarm.ts';

/** See the head of this file. */
export class FaultyPaths implements AsyncDisposable {
  readonly agents: FaultProxy;
  readonly clients: FaultProxy;

  private constructor(agents: FaultProxy, clients: FaultProxy) {
    this.agents = agents;
    this.clients = clients;
  }

  static async open(
    swarm: ProcessSwarm,
    seed: number,
    faults: Partial<LinkFaults> = {},
  ): Promise<FaultyPaths> {
    const server = parseAddress(swarm.address);
    const agents = await FaultProxy.open({ server, seed, faults });
    return new FaultyPaths(agents, await FaultProxy.open({ server, seed: seed + 1, faults }));
  }

  /** Where agents find the coordinator. */
  get agentsAddress(): string {
    return formatAddress(this.agents.address);
  }

  /** Where clients find it. */
  get clientsAddress(): string {
    return formatAddress(this.clients.address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.agents.close(), this.clients.close()]);
  }
}
