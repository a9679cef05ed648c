/** The balance at the end of a case: everything ended, ended well, and ended once, in the books of both sides. */
import type { SwarmClient } from '@quic-swarm/client';
import { within } from './clock.ts';
import type { Findings } from './findings.ts';
import type { Journal, JournalEntry } from './journal.ts';
import type { Ledger } from './ledger.ts';

/** Adds the findings about completeness and about ends that were heard or recorded more than once. */
export async function balance(
  ledger: Ledger,
  client: SwarmClient,
  findings: Findings,
): Promise<void> {
  const submitted = ledger.rows.length;
  balanceOfClient(ledger, findings);
  // The coordinator counts every final state that it writes, whoever hears of it.
  const records = async (): Promise<number> => {
    const work = (await client.status()).byTaskType['chaos.work'];
    return work === undefined ? 0 : work.succeeded + work.failed + work.cancelled + work.timedOut;
  };
  await within(1000, async () => (await records()) >= submitted);
  findings.safety('final states recorded − tasks submitted', (await records()) - submitted, {
    atMost: 0,
  });
}

/** The same without the coordinator's book, which does not outlive it. */
export function balanceOfClient(ledger: Ledger, findings: Findings): void {
  const lost = ledger.rows.length - ledger.succeeded.length;
  const why = lost === 0 ? '' : ` (${ledger.troubles})`;
  findings.safety(
    `of ${ledger.rows.length} tasks not completed with the right result${why}`,
    lost,
    {
      atMost: 0,
    },
  );
  findings.safety('tasks whose end was heard twice', ledger.endedTwice.length, { atMost: 0 });
}

/**
 * Starts after the first that nothing excuses: a task may be started again only when the process that had it was
 * disturbed. `isExcused` is asked about the start before.
 */
export function needlessStarts(
  journal: Journal,
  isExcused: (before: JournalEntry, after: JournalEntry) => boolean,
): number {
  let needless = 0;
  for (const starts of journal.startsByTask().values()) {
    for (const [index, after] of starts.entries()) {
      const before = starts[index - 1];
      if (before !== undefined && !isExcused(before, after)) needless += 1;
    }
  }
  return needless;
}

/**
 * How long tasks waited that a process had begun and not ended when it was disturbed at `atMs`: from then to their next
 * start in another process. `isCounted` is asked about the two starts.
 */
export function waitsAfter(
  journal: Journal,
  pid: number,
  atMs: number,
  isCounted: (before: JournalEntry, after: JournalEntry) => boolean = () => true,
): number[] {
  const waits: number[] = [];
  for (const starts of journal.startsByTask().values()) {
    const index = starts.findLastIndex((start) => start.atMs < atMs);
    const before = starts[index];
    if (before?.pid !== pid) continue;
    const next = starts.slice(index + 1).find((start) => start.pid !== pid);
    if (next !== undefined && isCounted(before, next)) waits.push(next.atMs - atMs);
  }
  return waits;
}

/** Asks again how the newest tasks ended: how many are told otherwise than they were heard, and how many are not known. */
export async function endsToldAgain(
  ledger: Ledger,
  client: SwarmClient,
): Promise<{ changed: number; unknown: number }> {
  const told = { changed: 0, unknown: 0 };
  for (const { taskId, outcome } of ledger.acknowledged.slice(-500)) {
    if (taskId === undefined) continue;
    try {
      const again = await (await client.attach(taskId)).outcome();
      if (again.state !== outcome?.state || again.result !== outcome.result) told.changed += 1;
    } catch (error) {
      if ((error as { type?: string }).type !== 'TASK_NOT_FOUND') throw error;
      told.unknown += 1;
    }
  }
  return told;
}

/** Acknowledged tasks with an id that another one has too. */
export function duplicatesOf({ acknowledged }: Ledger): number {
  return acknowledged.length - new Set(acknowledged.map(({ taskId }) => taskId)).size;
}
