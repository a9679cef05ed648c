import { defineConfig } from 'vitest/config';

// What `npm run test:oracle` runs: on the TypeScript sources and today's kernels.wasm.
export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['test/oracle/*.test.ts'],
    globalSetup: 'test/oracle/say-what-is-there.ts',
    fileParallelism: false,
    testTimeout: 600_000,
  },
});
