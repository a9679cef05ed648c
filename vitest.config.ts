import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { SOURCE_THREADS } from './test/support/source-threads.ts';

export default defineConfig({
  test: {
    // Vitest leaves one core to an editor that is not there.
    maxWorkers: availableParallelism(),
    // Files share a worker's modules: loading them anew for each file would cost more than the tests.
    isolate: false,
    projects: [
      {
        extends: true,
        // On the TypeScript sources: every package's `exports` lists the condition `source` first.
        resolve: { conditions: ['source'], alias: SOURCE_THREADS },
        ssr: { resolve: { conditions: ['source'] } },
        test: {
          name: 'unit',
          include: ['packages/*/test/**/*.test.ts'],
          setupFiles: ['test/support/property-seed.ts'],
          globalSetup: ['test/support/source-threads.ts'],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        // On what was built, as a user has it: real sockets, processes and threads.
        test: {
          name: 'integration',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{fuzz,soak,oracle}/**'],
          testTimeout: 60_000,
          // Many files start their programs in a hook.
          hookTimeout: 60_000,
          // Node loads it, as it does for a user; Vitest would transform each of its files first.
          server: { deps: { external: [/\/packages\/[a-z]+\/dist\//] } },
        },
      },
    ],
  },
});
