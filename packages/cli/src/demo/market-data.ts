/** The real prices that the demo computes with: they lie in the clone, beside the packages. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { logReturns } from '@quic-swarm/kernels';
import { readTable } from '../input/series-file.ts';
import { CommandError } from '../output/command-error.ts';

/** Where they may lie: seen from this package in a clone, or in the folder where the demo is started. */
const PATH = 'examples/data/eu-stock-markets.csv';

/** Daily closes of four indices, and their daily logarithmic returns. */
export interface MarketData {
  readonly path: string;
  readonly rows: number;
  readonly indices: readonly string[];
  /** `DAX` → closes. */
  readonly prices: ReadonlyMap<string, Float64Array>;
  /** `DAX return` → returns, NaN in the first row. */
  readonly returns: ReadonlyMap<string, Float64Array>;
}

/** The column of an index's returns in the uploaded table. */
export function returnColumn(index: string): string {
  return `${index} return`;
}

/** Reads the file. @throws BAD_OPTION when it is not there */
export async function readMarketData(): Promise<MarketData> {
  const candidates = [
    fileURLToPath(new URL(`../../../../${PATH}`, import.meta.url)),
    resolve(PATH),
  ];
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new CommandError('BAD_OPTION', `The prices of the demo, ${PATH}, are not there.`, {
      hint: 'Run the demo in a clone of the project.',
    });
  }
  const { columns, rows } = await readTable(path, 'series');
  const prices = new Map([...columns].filter(([name]) => name !== 'day'));
  const returns = [...prices].map(([name, values]): [string, Float64Array] => [
    returnColumn(name),
    logReturns(values),
  ]);
  return { path, rows, indices: [...prices.keys()], prices, returns: new Map(returns) };
}
