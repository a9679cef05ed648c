/** The kernels, both engines, beside what oracles once said about real data. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as kernels from '../src/index.ts';
import { answerOfKernels, columnOf, type Question } from './oracle-questions.ts';
import { DAX_INDICATORS, EU_RESULTS } from './recorded-results.ts';

const MODULE = new URL('../wasm/kernels.wasm', import.meta.url);
const engines = [kernels.TYPESCRIPT_ENGINE, kernels.createWasmEngine(readFileSync(MODULE))];

function expectNear(
  found: number | null | undefined,
  wanted: number | null,
  tolerance: number,
): void {
  const [a, b] = [found ?? NaN, wanted ?? NaN];
  expect(Math.abs(a - b), `${a}, not ${b}`).toBeLessThan(tolerance * Math.max(1, Math.abs(b)));
}

describe.each(engines)('by the engine $route', (engine) => {
  it.each(EU_RESULTS)(
    'the answer is that of numpy and scipy to $question',
    ({ question, answer }) => {
      const found = answerOfKernels(JSON.parse(question) as Question, engine);
      const { matches = [], matrix = [], shrinkage } = answer;
      expect(found.matches?.map(({ start }) => start) ?? []).toEqual(
        matches.map(({ start }) => start),
      );
      matches.forEach(({ distance }, i) =>
        expectNear(found.matches?.[i]?.distance, distance, 1e-12),
      );
      expect(found.matrix ?? []).toHaveLength(matrix.length);
      matrix.forEach((value, cell) => expectNear(found.matrix?.[cell], value, 1e-13));
      if (shrinkage !== undefined) expectNear(found.shrinkage, shrinkage, 1e-13);
      expect(matches.length + matrix.length).toBeGreaterThan(0);
    },
  );
});

it('indicators of daily closes of the DAX are those of R TTR', () => {
  const close = columnOf({ csv: 'examples/data/eu-stock-markets.csv', column: 'DAX' });
  const columns: Readonly<Record<string, Float64Array>> = {
    sma: kernels.sma(close, 20),
    ema: kernels.ema(close, 20),
    wma: kernels.wma(close, 20),
    rsi: kernels.rsi(close, 14),
    ...kernels.macd(close, 12, 26, 9),
    ...kernels.bollinger(close, 20, 2),
  };
  for (const { row, values } of DAX_INDICATORS) {
    for (const [name, value] of Object.entries(values)) {
      expectNear(columns[name]?.[row], value, 1e-12);
    }
  }
});
