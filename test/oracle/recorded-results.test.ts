/** What is recorded about real data: the oracle must still say it, and the kernels, both engines, too. */
import { describe, expect, inject, it } from 'vitest';
import { answerOfKernels, type Question } from '../../packages/kernels/test/oracle-questions.ts';
import { EU_RESULTS } from '../../packages/kernels/test/recorded-results.ts';
import { Agreement } from './agreement.ts';
import { ENGINES } from './engines.ts';
import { askScipy } from './scipy.ts';
import { SP500_RESULTS } from './sp500-results.ts';

const oracles = inject('oracles');
const SETS = [
  { name: 'the European indices', results: EU_RESULTS, isThere: true },
  { name: 'the S&P 500', results: SP500_RESULTS, isThere: oracles.sp500.isThere },
];

describe.each(SETS)('the recorded results of $name', ({ name, results, isThere }) => {
  const agreement = new Agreement('recorded');
  const questions = results.map(({ question }) => JSON.parse(question) as Question);

  it.runIf(isThere)('are those of both engines', () => {
    for (const [place, { answer }] of results.entries()) {
      const question = questions[place];
      if (question === undefined) expect.fail('no question');
      for (const engine of ENGINES) {
        const found = answerOfKernels(question, engine);
        agreement.answer(`${name}, ${engine.route}`, found, answer, 1e-12);
      }
    }
  });

  it.runIf(isThere && oracles.scipy.isThere)('are those of numpy and scipy today', () => {
    for (const [place, { answer }] of askScipy(questions).entries()) {
      agreement.answer(`${name}, scipy`, answer, results[place]?.answer ?? {}, 1e-12);
    }
  });
});
