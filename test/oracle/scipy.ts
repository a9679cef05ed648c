/** Asks numpy and scipy, as a process. */
import { inject } from 'vitest';
import type { Answer, Question } from '../../packages/kernels/test/oracle-questions.ts';
import { SCIPY_SCRIPT } from './oracles.ts';
import { runProgram } from './programs.ts';

/** What scipy says in addition. */
export interface ScipyAnswer extends Answer {
  /** The matrix by functions for whole tables, when no column has a gap or is constant. */
  readonly matrixAtOnce?: readonly (number | null)[];
  /** Of SAX: the smallest distance of a mean from a breakpoint. */
  readonly nearest?: number;
}

/** Each question with its answer; one process for all. */
export function askScipy<Asked extends Question>(
  questions: readonly Asked[],
): { question: Asked; answer: ScipyAnswer }[] {
  const finding = inject('oracles').scipy;
  if (!finding.isThere) throw new Error(finding.reason);
  const input = JSON.stringify(questions);
  const answers = JSON.parse(runProgram(finding.program, [SCIPY_SCRIPT], input)) as ScipyAnswer[];
  return questions.map((question, index) => ({ question, answer: answers[index] ?? {} }));
}
