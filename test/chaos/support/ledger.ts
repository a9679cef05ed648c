/** The client's book of a run: what it submitted, what was acknowledged, how each task ended and how often. */
import type { TaskOutcome } from '@quic-swarm/client';
import type { SwarmError } from '@quic-swarm/protocol';

/** One task. */
export interface LedgerRow {
  readonly number: number;
  readonly submittedAtMs: number;
  acknowledgedAtMs: number | undefined;
  taskId: string | undefined;
  /** When the first end was heard. */
  endedAtMs: number | undefined;
  /** How many ends were heard; exactly one is right. */
  ends: number;
  outcome: TaskOutcome | undefined;
  isRight: boolean;
  /** Why the outcome cannot be known, or why it was refused. */
  error: Error | undefined;
  /** What it was refused with before it was submitted again. */
  readonly refusals: SwarmError[];
}

/** See the head of this file. */
export class Ledger {
  readonly rows: LedgerRow[] = [];

  add(number: number, submittedAtMs: number): LedgerRow {
    const row: LedgerRow = {
      number,
      submittedAtMs,
      acknowledgedAtMs: undefined,
      taskId: undefined,
      endedAtMs: undefined,
      ends: 0,
      outcome: undefined,
      isRight: false,
      error: undefined,
      refusals: [],
    };
    this.rows.push(row);
    return row;
  }

  get acknowledged(): LedgerRow[] {
    return this.rows.filter(({ acknowledgedAtMs }) => acknowledgedAtMs !== undefined);
  }

  /** Every refusal after which a task was submitted again. */
  get refusals(): SwarmError[] {
    return this.rows.flatMap(({ refusals }) => refusals);
  }

  /** Tasks that ended with the right result. */
  get succeeded(): LedgerRow[] {
    return this.rows.filter(({ isRight }) => isRight);
  }

  /** Tasks of which no end was heard. */
  get withoutEnd(): LedgerRow[] {
    return this.rows.filter(({ ends }) => ends === 0);
  }

  /** Tasks of which more than one end was heard. */
  get endedTwice(): LedgerRow[] {
    return this.rows.filter(({ ends }) => ends > 1);
  }

  /** From submission to the end, of the tasks that ended. */
  get latenciesMs(): number[] {
    return this.rows.flatMap(({ submittedAtMs, endedAtMs }) =>
      endedAtMs === undefined ? [] : [endedAtMs - submittedAtMs],
    );
  }

  /** Why tasks did not end well, each reason once with its count; for the reader of a failure. */
  get troubles(): string {
    const counts = new Map<string, number>();
    for (const { isRight, error, outcome } of this.rows) {
      if (isRight) continue;
      const why = error ?? outcome?.error;
      const text = why?.message ?? (outcome === undefined ? 'no end' : 'wrong result');
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    return [...counts].map(([text, count]) => `${count} × ${text}`).join('; ');
  }
}
