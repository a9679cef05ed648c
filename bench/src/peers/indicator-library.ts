/** Peers that are a library of indicators: a function for each name, and five in a row for `five`. */
import { FIVE } from '../workloads/indicators.ts';
import type { Bars, IndicatorRun, Peer } from './contract.ts';

/** The columns as a library wants them. */
export type PlainBars = { readonly [Name in keyof Bars]: number[] };

/** By the names of `workloads/indicators.ts`; the last value of each line. */
export type IndicatorFunctions = Readonly<Record<string, (bars: PlainBars) => readonly number[]>>;

/** A peer whose functions take plain arrays; they are made of the columns before the clock runs. */
export function indicatorLibrary(packageName: string, functions: IndicatorFunctions): Peer {
  const prepareIndicator = (name: string, { high, low, close, volume }: Bars): IndicatorRun => {
    const bars = {
      high: Array.from(high),
      low: Array.from(low),
      close: Array.from(close),
      volume: Array.from(volume),
    };
    const steps = (name === 'five' ? FIVE : [name]).map((each) => {
      const step = functions[each];
      if (step === undefined) throw new Error(`${packageName} has no ${each}.`);
      return step;
    });
    return () => steps.flatMap((step) => step(bars));
  };
  return {
    packages: [packageName],
    processes: [
      {
        name: 'compute',
        start: async () => ({ abilities: { prepareIndicator }, stop: () => undefined }),
      },
    ],
  };
}

/** The last value of a list. */
export function lastOf(values: readonly (number | undefined)[] | undefined): number {
  return values?.at(-1) ?? Number.NaN;
}
