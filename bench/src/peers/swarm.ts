/**
 * quic-swarm as a whole: a coordinator, an agent with one handler that does nothing, and a client. What every user has,
 * with the defaults of every user, apart from the slots.
 */
import { QuicSwarmAgent, type AgentOptions } from '@quic-swarm/agent';
import { connect } from '@quic-swarm/client';
import { QuicSwarmCoordinator } from '@quic-swarm/coordinator';
import { formatAddress } from '@quic-swarm/transport';
import { addressOf, type Peer, type ProcessContext, type StartedProcess } from './contract.ts';

/** Tasks that the agent computes at the same time: as many as a bench keeps in flight, and more. */
const SLOTS = 512;

const TASK_TYPE = 'bench.nothing';

type PeerProcess = Peer['processes'][number];

/** Listens with the certificate of the run. */
export const coordinatorProcess: PeerProcess = {
  name: 'coordinator',
  async start({ identity: { certificate, privateKey } }) {
    const coordinator = await QuicSwarmCoordinator.start({
      address: '127.0.0.1:0',
      security: { certificate, privateKey },
    });
    return {
      address: formatAddress(coordinator.address),
      stop: async () => coordinator.close(),
    };
  },
};

/** An agent of the coordinator of this run. */
export async function startAgent(
  context: ProcessContext,
  options: Omit<AgentOptions, 'address' | 'security'>,
): Promise<StartedProcess> {
  const agent = await QuicSwarmAgent.connect({
    address: addressOf(context, 'coordinator'),
    security: { authority: context.identity.authority },
    ...options,
  });
  const run = agent.run();
  return {
    stop: async () => {
      await agent.close();
      await run;
    },
  };
}

/** Computes nothing, on its main thread, as fast as it is asked to. */
export const agentProcess: PeerProcess = {
  name: 'agent',
  start: async (context) =>
    startAgent(context, {
      id: 'bench-agent',
      type: 'compute',
      slots: SLOTS,
      handlers: { [TASK_TYPE]: () => null },
    }),
};

/** Submits a task and waits for its result. */
export const clientProcess: PeerProcess = {
  name: 'client',
  async start(context) {
    const client = await connect({
      address: addressOf(context, 'coordinator'),
      name: 'bench',
      security: { authority: context.identity.authority },
    });
    const runTask = async (): Promise<void> => {
      await client.run(TASK_TYPE, null);
    };
    // The agent may still be asking for work; the first result says that all is well.
    await runTask();
    return {
      abilities: { runTask, beIdle },
      stop: async () => client.close(),
    };
  },
};

/** Lets time pass, so that what the other processes do unasked can be seen. */
async function beIdle(durationMs: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, durationMs);
  });
}

export const peer: Peer = {
  packages: [],
  processes: [coordinatorProcess, agentProcess, clientProcess],
};
