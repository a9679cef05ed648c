/** What a scenario's `submits` says behind the task type, wish by wish: `takes 50 ms, fails 2 times, durable`. */
import type { Submission, SubmissionTerms } from './client-process.ts';
import type { Fate, Work, WorkBook } from './work.ts';

type Changeable<T> = { -readonly [Key in keyof T]: T[Key] };

interface Asked {
  readonly work: Changeable<Work>;
  readonly terms: Changeable<SubmissionTerms>;
}

const WISHES: readonly (readonly [RegExp, (asked: Asked, words: readonly string[]) => void])[] = [
  [/^takes (\d+) ms$/, ({ work }, [ms]) => void (work.computeMs = Number(ms))],
  [/^fails (\d+) times?$/, ({ work }, [times]) => void (work.fates = fates('fails', times))],
  [
    /^crashes its thread (\d+) times?$/,
    ({ work }, [times]) => void (work.fates = fates('crashesThread', times)),
  ],
  [/^sends (\d+) parts$/, ({ work }, [count]) => void (work.chunks = Number(count))],
  [/^does not heed cancellation$/, ({ work }) => void (work.stopsAfterMs = undefined)],
  [/^must end within (\d+) ms$/, ({ terms }, [ms]) => void (terms.scheduleToCloseMs = Number(ms))],
  [/^durable$/, ({ terms }) => void (terms.durable = true)],
  [/^at most once$/, ({ terms }) => void (terms.idempotent = false)],
  [/^in (\d+) shards$/, splitInto],
];

/** Makes the submission, and writes down its work. */
export function submissionOf(
  works: WorkBook,
  number: number,
  taskType: string,
  wishes: readonly string[],
): Submission {
  const asked: Asked = {
    work: {
      number,
      computeMs: 10,
      chunks: 0,
      progressReports: 0,
      fates: ['succeeds'],
      stopsAfterMs: 5,
    },
    terms: { taskType, datasets: [], watch: 'result' },
  };
  for (const wish of wishes) apply(asked, wish);
  works.set(number, asked.work);
  return { number, work: number, terms: asked.terms };
}

function apply(asked: Asked, wish: string): void {
  for (const [pattern, change] of WISHES) {
    const match = pattern.exec(wish);
    if (match === null) continue;
    change(asked, match.slice(1));
    return;
  }
  throw new Error(`A scenario wishes "${wish}", which nobody understands.`);
}

function splitInto({ terms }: Asked, [count]: readonly string[]): void {
  terms.shards = Number(count);
  terms.positions = 1000;
}

function fates(fate: Fate, times: string | undefined): readonly Fate[] {
  return [...Array.from({ length: Number(times) }, () => fate), 'succeeds'];
}
