/** Runs an example of this repository the way a person does, with a state directory of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program, ROOT, type Ended } from '../support/program.ts';

/** Runs `node --import tsx FILE` and collects what it says. */
export async function runExample(name: string): Promise<Ended> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'swarm-state-'));
  try {
    const env = { ...process.env, QUIC_SWARM_STATE_DIR: stateDirectory, NODE_OPTIONS: '' };
    return await new Program(['--import', 'tsx', join(ROOT, 'examples', name)], { env }).ended;
  } finally {
    await rm(stateDirectory, { recursive: true, force: true });
  }
}
