/** A swarm on this machine, for the examples that want one of their own: what `coordinator` and `agent` start as programs. */
import { QuicSwarmAgent, type ConnectOptions } from '@quic-swarm/agent';
import { QuicSwarmCoordinator } from '@quic-swarm/coordinator';
import { formatAddress } from '@quic-swarm/transport';

/** A coordinator and its agents; `await using` ends them. */
export interface LocalSwarm extends AsyncDisposable {
  readonly address: string;
  readonly coordinator: QuicSwarmCoordinator;
}

/** Starts a coordinator on a free port of 127.0.0.1, and agents that find its development certificate by themselves. */
export async function startSwarm(
  agents: readonly Pick<ConnectOptions, 'id' | 'type' | 'handlers' | 'tunables'>[],
): Promise<LocalSwarm> {
  const coordinator = await QuicSwarmCoordinator.start({ address: '127.0.0.1:0' });
  const address = formatAddress(coordinator.address);
  const joined = await Promise.all(
    agents.map(async (options) => QuicSwarmAgent.connect({ address, threads: 1, ...options })),
  );
  const running = joined.map(async (agent) => agent.run());
  return {
    address,
    coordinator,
    [Symbol.asyncDispose]: async () => {
      // Agents first: one whose coordinator has gone waits for it to come back.
      await Promise.all(joined.map(async (agent) => agent.drain()));
      await Promise.all(running);
      await coordinator.close();
    },
  };
}
