/** How inputs name numbers. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { digestSeries, resolveSeries } from '../../src/handlers/series-reference.ts';
import { DATASET_ID, contextWith } from '../support/context.ts';

const context = contextWith({
  DAX: Float64Array.of(1, 2, 3, 4),
  gold: Float64Array.of(5, 6, 7, 8),
});

test('values that come along are taken as they are', () => {
  const values = Float64Array.of(1, 2);
  expect(resolveSeries({ values }, context, 'series')).toBe(values);
});

test('a column is viewed in place, in the shared memory of the data set', () => {
  const all = resolveSeries({ datasetId: DATASET_ID, column: 'DAX' }, context, 'series');
  expect([...all]).toEqual([1, 2, 3, 4]);
  expect(all.buffer).toBe(context.datasets.get(DATASET_ID)?.bytes.buffer);
  const part = { datasetId: DATASET_ID, column: 'gold', start: 1, end: 3 };
  expect([...resolveSeries(part, context, 'series')]).toEqual([6, 7]);
});

test.each([
  [{ column: 'dax2' }, 'the data set has DAX, gold', 'Did you mean DAX?'],
  [{ column: 'nothing like it' }, 'the data set has DAX, gold', undefined],
  [{ column: 'DAX', start: 3, end: 2 }, 'rows 3 to 2', '0 ≤ start ≤ end ≤ 4'],
  [{ column: 'DAX', end: 5 }, 'rows 0 to 5', '0 ≤ start ≤ end ≤ 4'],
  [{ column: 'DAX', datasetId: `sha256:${'b'.repeat(64)}` }, 'names the data set', 'List it'],
])('%j is refused', (wrong, message, hint) => {
  const resolve = (): unknown =>
    resolveSeries({ datasetId: DATASET_ID, ...wrong }, context, 'series');
  expect(resolve).toThrow(
    expect.objectContaining({
      type: 'BAD_INPUT',
      message: expect.stringContaining(message) as string,
      hint: hint === undefined ? undefined : (expect.stringContaining(hint) as string),
    }),
  );
});

test('the digest is the SHA-256 of the very values, also for a part of a column', () => {
  const reference = { datasetId: DATASET_ID, column: 'DAX', start: 1, end: 3 };
  const values = resolveSeries(reference, context, 'series');
  const sha256 = createHash('sha256')
    .update(new Uint8Array(Float64Array.of(2, 3).buffer))
    .digest('hex');
  expect(digestSeries(reference, values)).toEqual({ length: 2, sha256 });
  expect(digestSeries(reference, values)).toBe(digestSeries(reference, values));
  expect(digestSeries({ values: Float64Array.of(2, 3) }, Float64Array.of(2, 3)).sha256).toBe(
    sha256,
  );
});
