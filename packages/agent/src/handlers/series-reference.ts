/** From the way an input names numbers to the numbers, in place: a column of a data set is never copied. */
import { createHash } from 'node:crypto';
import { SwarmError, type SeriesReference } from '@quic-swarm/protocol';
import type { TaskContext } from '../task-handler.ts';

/** Columns listed in an error: as many as a person reads. */
const LISTED_COLUMNS_MAX = 20;

/** Digests kept per thread: each is a key of about 200 bytes. */
const DIGESTS_MAX = 1024;

/** What was computed on: length and SHA-256 (hexadecimal) of the values as little-endian 64-bit floats. */
export interface SeriesDigest {
  readonly length: number;
  readonly sha256: string;
}

/**
 * The values that `reference` means. Throws BAD_INPUT.
 * @param name what the input calls it, for the message
 */
export function resolveSeries(
  reference: SeriesReference,
  { datasets }: Pick<TaskContext, 'datasets'>,
  name: string,
): Float64Array {
  if ('values' in reference) return reference.values;
  const { datasetId, column } = reference;
  const dataset = datasets.get(datasetId);
  if (dataset === undefined) {
    throw new SwarmError(
      'BAD_INPUT',
      `${name} names the data set ${datasetId}, the task does not.`,
      {
        hint: 'List it in the datasets of the task.',
      },
    );
  }
  const { columns, rows } = dataset.table();
  const values = columns.get(column);
  if (values === undefined) throw unknownColumn(name, column, [...columns.keys()]);
  const { start = 0, end = rows } = reference;
  if (start > end || end > rows) {
    throw new SwarmError(
      'BAD_INPUT',
      `${name} asks for rows ${start} to ${end} of ${column}, which has ${rows} rows.`,
      { hint: `Use 0 ≤ start ≤ end ≤ ${rows}; end is exclusive.` },
    );
  }
  return values.subarray(start, end);
}

const digests = new Map<string, SeriesDigest>();

/** The digest of the values of `reference`; for columns of data sets, which never change, computed once per thread. */
export function digestSeries(reference: SeriesReference, values: Float64Array): SeriesDigest {
  if ('values' in reference) return digestOf(values);
  const { datasetId, column, start = 0 } = reference;
  const key = JSON.stringify([datasetId, column, start, values.length]);
  const known = digests.get(key);
  if (known !== undefined) return known;
  const digest = digestOf(values);
  const oldest = digests.keys().next();
  if (digests.size >= DIGESTS_MAX && oldest.done !== true) digests.delete(oldest.value);
  digests.set(key, digest);
  return digest;
}

/** SHA-256 of the bytes of the values, hexadecimal. */
export function sha256Of(values: Float64Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return createHash('sha256').update(bytes).digest('hex');
}

function digestOf(values: Float64Array): SeriesDigest {
  return { length: values.length, sha256: sha256Of(values) };
}

function unknownColumn(name: string, column: string, known: readonly string[]): SwarmError {
  const listed = known.slice(0, LISTED_COLUMNS_MAX).join(', ');
  const more =
    known.length > LISTED_COLUMNS_MAX ? ` and ${known.length - LISTED_COLUMNS_MAX} more` : '';
  const nearest = nearestOf(column, known);
  return new SwarmError(
    'BAD_INPUT',
    `${name} asks for the column ${column}; the data set has ${known.length === 0 ? 'none' : listed}${more}.`,
    nearest === undefined ? {} : { hint: `Did you mean ${nearest}?` },
  );
}

/** The known word within a few slips of the wanted one. */
function nearestOf(wanted: string, known: readonly string[]): string | undefined {
  const slipsMax = Math.max(1, Math.floor(wanted.length / 3));
  let nearest: string | undefined;
  let fewest = slipsMax + 1;
  for (const word of known) {
    const slips = editDistance(wanted.toLowerCase(), word.toLowerCase());
    if (slips < fewest) [nearest, fewest] = [word, slips];
  }
  return nearest;
}

/** Levenshtein's distance, row by row. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const exchanged = (above[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(exchanged, (above[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    above = row;
  }
  return above[b.length] as number;
}
