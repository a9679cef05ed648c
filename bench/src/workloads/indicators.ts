/**
 * Indicators over a long column, one workload each, and five at once. The rows are a seeded walk, the same in every
 * process; what a peer answers is compared with the kernels of quic-swarm, so that nobody is fast by computing something
 * else.
 */
import { computeIndicators } from '@quic-swarm/kernels';
import type { Workload } from '../harness/model.ts';
import { median, seededRandom } from '../harness/statistics.ts';
import type { Bars } from '../peers/contract.ts';
import { abilityOf, setting } from './support.ts';

/** Names as `computeIndicator` of the kernels reads them; `five` stands for those of {@link FIVE}. */
export const SINGLE = [
  'sma20',
  'ema20',
  'wma20',
  'rsi14',
  'macd12-26-9',
  'bollinger20-2',
  'atr14',
  'stochastic14-3',
  'obv',
  'vwap20',
] as const;

/** What is computed at once under the name `five`. */
export const FIVE = ['sma20', 'bollinger20-2', 'ema20', 'rsi14', 'macd12-26-9'] as const;

/** Peers round, or begin recursions elsewhere, which a million rows have forgotten. */
const TOLERANCE = 0.01;

/** The first metric: ratios are made of it. */
export const TIME = 'time';

export const indicatorWorkloads: readonly Workload[] = [...SINGLE, 'five'].map(workloadOf);

function workloadOf(name: string): Workload {
  const what = name === 'five' ? `${FIVE.join(', ')} at once` : name;
  return {
    name,
    title: `${what} over a million rows, arrays for the results included`,
    ability: 'prepareIndicator',
    metrics: [{ name: TIME, unit: 'ms', better: 'less' }],
    operation: 'million rows',
    // Five at once take some peers seconds on a busy machine.
    settings: {
      rows: 1_000_000,
      warmUpCount: name === 'five' ? 1 : 2,
      count: name === 'five' ? 3 : 5,
    },
    async prepare(abilities, settings) {
      const bars = barsOf(setting(settings, 'rows'));
      const run = abilityOf(abilities, 'prepareIndicator')(name, bars);
      compare(name, run(), bars);
      for (let each = 1; each < setting(settings, 'warmUpCount'); each += 1) run();
      return {
        async run() {
          const times: number[] = [];
          while (times.length < setting(settings, 'count')) {
            const startMs = performance.now();
            run();
            times.push(performance.now() - startMs);
          }
          const operations = (times.length * bars.close.length) / 1_000_000;
          return { values: { [TIME]: median(times) }, operations };
        },
        dispose: async () => undefined,
      };
    },
  };
}

function barsOf(rows: number): Bars {
  const random = seededRandom(20_261_128);
  let level = 100;
  const close = Float64Array.from({ length: rows }, () => {
    // Steps up and down that are drawn back to 100, in the way of prices.
    level += random() + random() - 1 - (level - 100) / 1000;
    return level;
  });
  return {
    close,
    high: close.map((value) => value + random()),
    low: close.map((value) => value - random()),
    volume: close.map(() => Math.floor(1000 * random())),
  };
}

function compare(name: string, last: readonly number[], { close, ...others }: Bars): void {
  const specs = name === 'five' ? FIVE : [name];
  const columns = Object.values(computeIndicators(specs, close, others));
  const expected = columns.map((column) => column.at(-1) ?? Number.NaN);
  const isNear = expected.every((value, line) => {
    const difference = Math.abs(value - (last[line] ?? Number.NaN));
    return difference <= TOLERANCE * Math.max(1, Math.abs(value));
  });
  if (isNear && last.length === expected.length) return;
  throw new Error(`${name} ends in ${last.join(', ')} and not in ${expected.join(', ')}.`);
}
