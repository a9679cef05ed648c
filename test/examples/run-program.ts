/** Runs a program of this repository the way a person does, with a state directory of its own. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const ROOT: string = resolve(import.meta.dirname, '../..');

/** How a program ended. */
export interface ProgramEnd {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `node --import tsx FILE` and collects what it says. */
export async function runExample(name: string): Promise<ProgramEnd> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'swarm-state-'));
  try {
    return await ended(
      spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'examples', name)], {
        cwd: ROOT,
        env: { ...process.env, QUIC_SWARM_STATE_DIR: stateDirectory, NODE_OPTIONS: '' },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  } finally {
    await rm(stateDirectory, { recursive: true, force: true });
  }
}

async function ended(child: ReturnType<typeof spawn>): Promise<ProgramEnd> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
  child.stderr?.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
  return new Promise((fulfil, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => fulfil({ exitCode, stdout, stderr }));
  });
}
