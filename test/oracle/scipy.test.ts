/** Kernels beside numpy and scipy, on the European indices and on columns made for what real data does not have. */
import { RandomSource, TYPESCRIPT_ENGINE } from '@quic-swarm/kernels';
import { describe, expect, inject, it } from 'vitest';
import { answerOfKernels, type Question } from '../../packages/kernels/test/oracle-questions.ts';
import { Agreement } from './agreement.ts';
import { ENGINES } from './engines.ts';
import { columnsOfEveryKind, index, integerBelow, returnsOf, rowsOf } from './made-columns.ts';
import { askScipy } from './scipy.ts';

const ALL = ['DAX', 'SMI', 'CAC', 'FTSE'] as const;
const METHODS = ['pearson', 'spearman'] as const;

/** What rounding explains, for values of about 1. */
const TOLERANCE = 1e-12;

describe.runIf(inject('oracles').scipy.isThere)('numpy and scipy', () => {
  const agreement = new Agreement('scipy');

  function compare(questions: readonly Question[], whatOf: (question: Question) => string): void {
    for (const { question, answer } of askScipy(questions)) {
      for (const engine of ENGINES) {
        const what = `${whatOf(question)}, ${engine.route}`;
        const found = answerOfKernels(question, engine);
        agreement.answer(what, found, answer, TOLERANCE);
        const { matrixAtOnce } = answer;
        if (matrixAtOnce !== undefined) {
          agreement.values(`${what}, whole table`, found.matrix ?? [], matrixAtOnce, TOLERANCE);
        }
      }
    }
  }

  it.each(METHODS)('give the same %s matrices and shrinkage', (correlate) => {
    const lengths = [0, 1, 2, 3, 4, 5, 7, 10, 33, 200, 1500];
    const made = lengths.map((rows) => columnsOfEveryKind(rows + 1, rows));
    // Without the columns that have gaps or are constant, scipy takes the whole table at once.
    const complete = made.map((columns) => columns.slice(0, 5));
    const real = [ALL.map(index), ALL.map(returnsOf)];
    const questions = [...made, ...complete, ...real].map((columns) => ({ correlate, columns }));
    compare(questions, () => correlate);
  });

  it('give the same ranks, ties included', () => {
    const columns = [...columnsOfEveryKind(40, 400).slice(0, 5), ...ALL.map(returnsOf)];
    compare(
      columns.map((column) => ({ ranks: true, columns: [column] })),
      () => 'ranks',
    );
  });

  it('give the same rolling correlations', () => {
    const columns = columnsOfEveryKind(9, 300);
    const questions: Question[] = [];
    for (const [rolling, minimumOverlap] of [
      [2, 2],
      [20, 20],
      [30, 3],
    ] as const) {
      for (const x of columns) {
        for (const y of columns) {
          questions.push({ rolling, minimumOverlap, columns: [x, y] });
        }
      }
    }
    for (const other of ['SMI', 'CAC', 'FTSE'] as const) {
      questions.push({ rolling: 20, columns: [returnsOf('DAX'), returnsOf(other)] });
      questions.push({ rolling: 250, columns: [index('DAX'), index(other)] });
    }
    for (const { question, answer } of askScipy(questions)) {
      const found = answerOfKernels(question, TYPESCRIPT_ENGINE).values ?? [];
      // Columns at a level of 1e6 that move by 0.1 have so few digits within a window, here and in numpy.
      agreement.values('rolling correlation', found, answer.values ?? [], 1e-9);
    }
  });

  it('give the same symbols of equal probability', () => {
    const questions = [2, 3, 8, 20, 64].flatMap((alphabet) =>
      [1, 4, 7].flatMap((segment) =>
        ALL.map((name) => {
          const columns = [returnsOf(name)] as const;
          return { sax: true, alphabet, segment, columns } as const;
        }),
      ),
    );
    for (const { question, answer } of askScipy(questions)) {
      // So no symbol hangs on rounding.
      expect(answer.nearest).toBeGreaterThan(1e-12);
      agreement.answer('SAX', answerOfKernels(question, TYPESCRIPT_ENGINE), answer, 0);
    }
  });

  it('give the same DTW distances, of series of the same and of different lengths', () => {
    const random = new RandomSource(11);
    const questions: Question[] = Array.from({ length: 150 }, () => {
      const [n, m] = [1 + integerBelow(random, 90), 1 + integerBelow(random, 90)];
      const series = (length: number): number[] =>
        Array.from({ length }, () => random.nextNormal());
      const [least, most] = [Math.abs(n - m), Math.max(n, m) - 1];
      const band = least + integerBelow(random, most - least + 1);
      return { distance: 'dtw', band, columns: [series(n), series(m)] };
    });
    compare(questions, () => 'DTW');
  });

  it('give the same LCSS and LCS lengths', () => {
    const random = new RandomSource(12);
    const questions = Array.from({ length: 150 }, (_, round): Question => {
      const [n, m] = [1 + integerBelow(random, 90), 1 + integerBelow(random, 90)];
      const series = (length: number): number[] =>
        Array.from({ length }, () => random.nextNormal());
      const symbols = (length: number): number[] =>
        Array.from({ length }, () => integerBelow(random, 2 + (round % 9)));
      if (round % 2 === 0) return { lcs: true, columns: [symbols(n), symbols(m)] };
      const delta = integerBelow(random, Math.max(n, m));
      return { lcss: true, epsilon: random.nextFloat(), delta, columns: [series(n), series(m)] };
    });
    compare(questions, (question) => ('lcs' in question ? 'LCS' : 'LCSS'));
  });

  it('find the same patterns, comparing every window of real data in full', () => {
    const questions: Question[] = [];
    for (const name of ALL) {
      const series = index(name);
      for (const [start, end, band] of [
        [1828, 1860, 3],
        [700, 748, 0],
        [1300, 1396, 10],
      ] as const) {
        const place = { series, query: [start, end], topK: 5, exclusionZone: 8 } as const;
        questions.push({ search: 'dtw', band, ...place });
        questions.push({ search: 'lcss', epsilon: 0.25, delta: band, ...place });
      }
    }
    const search = { topK: 8, series: returnsOf('CAC'), query: [100, 120] } as const;
    questions.push({ search: 'dtw', band: 5, exclusionZone: 0, ...search });
    // The last value stands still for days, so that windows are flat.
    const flat = [...rowsOf(index('DAX'), 0, 300), ...Array.from({ length: 60 }, () => 1600)];
    const query = [100, 116] as const;
    questions.push({ search: 'dtw', band: 2, series: flat, query, topK: 40, exclusionZone: 5 });
    compare(questions, (question) => `searches by ${'search' in question ? question.search : ''}`);
  });
});
