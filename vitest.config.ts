import { defineConfig } from 'vitest/config';

// Tests run on the TypeScript sources: every package's `exports` lists the condition `source` first.
const source = {
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
};

export default defineConfig({
  ...source,
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['packages/*/test/**/*.test.ts'], testTimeout: 20_000 },
      },
      {
        extends: true,
        // Real sockets, processes and threads: one file at a time, so that two cores suffice.
        test: {
          name: 'integration',
          include: ['test/**/*.test.ts'],
          exclude: ['test/fuzz/**'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 60_000,
        },
      },
    ],
  },
});
