/** From a table of targets to what was reached. */
import type { ResultReader, Target } from './model.ts';

/** One line of the outcome; `measured` and `met` are null when who it needs did not get to the end. */
export interface TargetOutcome {
  readonly name: string;
  readonly measured: number | null;
  readonly target: number;
  readonly unit: string;
  readonly met: boolean | null;
  readonly comparator: Target['comparator'];
}

/** Compares a bench's targets with its results. */
export function judge(targets: readonly Target[], results: ResultReader): TargetOutcome[] {
  return targets.map(({ name, unit, comparator, target, measure }) => {
    const measured = measure(results);
    if (measured === undefined || Number.isNaN(measured)) {
      return { name, measured: null, target, unit, met: null, comparator };
    }
    return { name, measured, target, unit, met: isMet(measured, comparator, target), comparator };
  });
}

function isMet(measured: number, comparator: Target['comparator'], target: number): boolean {
  switch (comparator) {
    case '<':
      return measured < target;
    case '<=':
      return measured <= target;
    case '>=':
      return measured >= target;
  }
}
