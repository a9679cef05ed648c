import { expect, test } from 'vitest';
import { fuzzProtocol } from '../../packages/protocol/test/support/fuzz.ts';

const FRAMES = Number(process.env['FUZZ_FRAMES'] ?? 1_000_000);
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const FRAMES_PER_TEST = 100_000;
const parts = Array.from({ length: Math.ceil(FRAMES / FRAMES_PER_TEST) }, (_, part) => SEED + part);

test.each(parts)('hostile frames of seed %i end in a typed error or in a message', (seed) => {
  const { accepted, refused } = fuzzProtocol(Math.min(FRAMES, FRAMES_PER_TEST), seed);
  const inAll = [...refused.values()].reduce((sum, count) => sum + count, accepted);
  console.info(`SEED=${seed}: ${accepted} accepted, refused: ${JSON.stringify([...refused])}`);
  expect(inAll).toBeGreaterThan(0);
});
