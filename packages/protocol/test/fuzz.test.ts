import { expect, test } from 'vitest';
import { fuzzProtocol } from './support/fuzz.ts';

// The long version is test/fuzz/protocol.test.ts.
test('hostile frames end in a typed error or in a message, and in nothing else', () => {
  const { accepted, refused } = fuzzProtocol(20_000, 20_261_121);
  // The frames are hostile in many ways, and some of them are not.
  expect(accepted).toBeGreaterThan(500);
  for (const type of [
    'BAD_FRAME',
    'FRAME_TOO_LARGE',
    'BAD_MESSAGE',
    'UNEXPECTED_MESSAGE',
    'PAYLOAD_TOO_LARGE',
    'BAD_INPUT',
    'DATASET_CORRUPT',
  ]) {
    expect(refused.get(type), type).toBeGreaterThan(0);
  }
});
