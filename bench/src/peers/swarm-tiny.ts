/**
 * quic-swarm as a user starts it, with the default slots and threads, and tiny tasks: in worker threads, or on the main
 * thread where the variant `onMainThread` says so.
 */
import { connect } from '@quic-swarm/client';
import { addressOf, type Peer } from './contract.ts';
import { coordinatorProcess, startAgent } from './swarm.ts';
import handle from './tiny-task.ts';

const TASK_TYPE = 'bench.tiny';

export const peer: Peer = {
  packages: [],
  processes: [
    coordinatorProcess,
    {
      name: 'agent',
      async start(context) {
        const isOnMainThread = context.variant['onMainThread'] === true;
        const inThread = new URL('./tiny-task.js', import.meta.url);
        const handlers = { [TASK_TYPE]: isOnMainThread ? handle : inThread };
        return startAgent(context, { id: 'bench-agent', type: 'compute', handlers });
      },
    },
    {
      name: 'client',
      async start(context) {
        const client = await connect({
          address: addressOf(context, 'coordinator'),
          name: 'bench',
          security: { authority: context.identity.authority },
        });
        const runTinyTask = async (computeMs: number): Promise<void> => {
          await client.run(TASK_TYPE, computeMs);
        };
        // The agent may still be starting its threads.
        await runTinyTask(0);
        return { abilities: { runTinyTask }, stop: async () => client.close() };
      },
    },
  ],
};
