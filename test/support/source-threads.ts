/**
 * Lets threads run the sources. A thread cannot read TypeScript, and a loader that teaches it to takes two seconds of
 * computing for each thread that starts; so what threads load is bundled once, before the tests.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { TestProject } from 'vitest/node';

const ROOT = join(import.meta.dirname, '../..');
const AGENT = join(ROOT, 'packages/agent');
/** Inside the repository, so that the bundle finds the packages that stay outside of it; ignored by git. */
const FOLDER = join(ROOT, '.build/threads');

/** Has the sources look for the modules of threads in the bundle. */
export const SOURCE_THREADS: { find: RegExp; replacement: string }[] = [
  {
    find: /^.*\/thread-modules\.ts$/,
    replacement: join(import.meta.dirname, 'thread-modules.ts'),
  },
];

/** Called by Vitest before the first test. */
export default async function setup(project: TestProject): Promise<void> {
  await bundle();
  project.onTestsRerun(bundle);
}

async function bundle(): Promise<void> {
  const modules = ['src/handlers', 'test/workers'].flatMap((folder) =>
    readdirSync(join(AGENT, folder)).map((name) => join(AGENT, folder, name)),
  );
  await build({
    entryPoints: [join(AGENT, 'src/shell/worker.ts'), ...modules],
    outbase: AGENT,
    outdir: FOLDER,
    bundle: true,
    // What several of them import stays one module, as it is without a bundle.
    splitting: true,
    format: 'esm',
    platform: 'node',
    conditions: ['source'],
    // Loads its native part by its own path.
    external: ['cbor-x'],
    logLevel: 'warning',
  });
}
