/** Makes JavaScript of what agents load: their worker threads cannot read TypeScript. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from './child-program.ts';

/** Inside the repository, so that the packages are found; ignored by git. */
const FOLDER = join(ROOT, '.build/chaos');

/** The file of `--handlers`. */
export const HANDLERS: string = join(FOLDER, 'handlers.js');
/** The program of an agent that closes on SIGTERM. */
export const CLOSING_AGENT: string = join(FOLDER, 'closing-agent.js');

/** Writes the files; call it before the first agent is started. */
export async function buildAgentFiles(): Promise<void> {
  const folder = join(import.meta.dirname, '../agents');
  await build({
    entryPoints: ['handlers.ts', 'closing-agent.ts'].map((name) => join(folder, name)),
    outdir: FOLDER,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'warning',
  });
}
