/** An agent and a fake coordinator that are joined, for one test. */
import { QuicSwarmAgent, type AgentEvent, type ConnectOptions } from '@quic-swarm/agent';
import { MemoryNetwork } from '@quic-swarm/transport';
import { threadModule } from '../../src/shell/thread-modules.ts';
import { FakeCoordinator, type FakePeer } from './fake-coordinator.ts';

export interface Joined {
  readonly agent: QuicSwarmAgent;
  readonly coordinator: FakeCoordinator;
  readonly peer: FakePeer;
  readonly events: AgentEvent[];
  /** Settles with `run`. */
  readonly running: Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts both, and lets the agent run. */
export async function join(
  options: Partial<ConnectOptions> = {},
  ack: FakeCoordinator['ack'] = {},
): Promise<Joined> {
  const transport = new MemoryNetwork().transport();
  const coordinator = await FakeCoordinator.start(transport);
  coordinator.ack = ack;
  const events: AgentEvent[] = [];
  const agent = await QuicSwarmAgent.connect({
    address: '127.0.0.1:5000',
    id: 'agent-1',
    type: 'compute',
    threads: 1,
    transport,
    onEvent: (event) => events.push(event),
    ...options,
  });
  const peer = await coordinator.peer();
  const running = agent.run();
  await peer.next('CreditGrant');
  return {
    agent,
    coordinator,
    peer,
    events,
    running,
    async [Symbol.asyncDispose]() {
      await agent.close();
      await coordinator.close();
    },
  };
}

/** The URL of a handler for these tests. */
export function workerUrl(name: string): URL {
  return threadModule(`../test/workers/${name}`);
}
