/** Writes the journal of a run: each start and each end of a handler, before the handler goes on (support/journal.ts). */
import { openSync, writeSync } from 'node:fs';

const journal = openSync(process.env['CHAOS_JOURNAL'] ?? '/dev/null', 'a');

/**
 * Notes what a task of this number does in this process. A start that no coordinator ever heard of is noted too.
 * @param attempt which one of the task this is; 0 where nobody asks
 */
export function note(event: 'start' | 'end', number: number, attempt: number = 0): void {
  const atMs = performance.timeOrigin + performance.now();
  // One short write to a file that is open for appending: lines of different processes do not mix.
  writeSync(journal, `${event} ${number} ${process.pid} ${atMs} ${attempt}\n`);
}
