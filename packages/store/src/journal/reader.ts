/** Reading the journal: from any entry on, each chunk checked, no entry left out. */
import type { JournalEntry } from '../contract.ts';
import type { Engine } from '../engine.ts';
import { corrupt } from '../failures.ts';
import { chunkRange, firstSequenceOf } from '../keys.ts';
import { entriesOf } from './chunk.ts';

/** The entries from `from` to `to` (both included), chunk by chunk. Rejects with STORE_CORRUPT where one is damaged or
 *  missing. */
export async function* readJournal(
  engine: Engine,
  from: number,
  to: number,
): AsyncGenerator<JournalEntry[]> {
  const start = await engine.last(chunkRange(0, from + 1));
  let expected = from;
  if (from > to) return;
  const first = start === undefined ? from : firstSequenceOf(start[0]);
  for await (const page of engine.read(chunkRange(first, to + 1))) {
    for (const pair of page) {
      const entries = entriesOf(pair);
      if (entries === undefined) {
        throw corrupt(`of the entries from ${firstSequenceOf(pair[0])} on some are not as written`);
      }
      const wanted = entries.filter(({ sequence }) => sequence >= from && sequence <= to);
      if (wanted.length === 0) continue;
      if (wanted[0]?.sequence !== expected) {
        throw corrupt(`entry ${expected} is missing`);
      }
      expected += wanted.length;
      yield wanted;
    }
  }
  if (expected <= to) throw corrupt(`entry ${expected} is missing`);
}
