/**
 * An agent that leaves in good order and at once: on SIGTERM it closes, so that what it computes is stopped. A program of
 * its own, since the agent of the command line finishes its tasks first. Words: ADDRESS ID.
 */
import { setTimeout as after } from 'node:timers/promises';
import { QuicSwarmAgent, type TaskHandler } from '@quic-swarm/agent';
import { answerTo, type WorkInput } from '../support/work.ts';
import { note } from './journal-writer.ts';

const work: TaskHandler<WorkInput, number> = async ({ number, computeMs }, { signal }) => {
  note('start', number);
  await after(computeMs, undefined, { signal });
  note('end', number);
  return answerTo(number);
};

const [address = '', id = ''] = process.argv.slice(2);
const agent = await QuicSwarmAgent.connect({
  address,
  id,
  type: 'compute',
  slots: 1,
  connectTimeoutMs: 30_000,
  security: { stateDirectory: process.env['QUIC_SWARM_STATE_DIR'] ?? '' },
  onEvent: ({ type }) => {
    console.log(JSON.stringify({ event: type }));
  },
});
agent.handle('chaos.work', work);
for (const event of ['SIGTERM', 'disconnect']) process.on(event, () => void agent.close());
await agent.run();
process.exit(0);
