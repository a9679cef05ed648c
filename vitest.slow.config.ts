import { defineConfig } from 'vitest/config';
import { SOURCE_THREADS } from './test/support/source-threads.ts';

// Long tests outside the gate, run by path: `npx vitest run --config vitest.slow.config.ts test/fuzz`.
export default defineConfig({
  resolve: { conditions: ['source'], alias: SOURCE_THREADS },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    globalSetup: ['test/support/source-threads.ts'],
    include: [
      'test/{fuzz,soak}/**/*.test.ts',
      // These are in the gate too, with fewer cases.
      'packages/protocol/test/{documents,fast-codec}.test.ts',
    ],
    env: { CODEC_RUNS: process.env['CODEC_RUNS'] ?? '20000' },
    // A soak measures what is left after a collection.
    execArgv: ['--expose-gc'],
    fileParallelism: false,
    testTimeout: 600_000,
  },
});
