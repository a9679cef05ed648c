/** The daily closes that all examples compute on; see data/README.md for where they come from. */
import { readFile } from 'node:fs/promises';
import { parseCsv } from '@quic-swarm/cli';

const FILE = new URL('data/eu-stock-markets.csv', import.meta.url);

/** The four indices by name: DAX, SMI, CAC and FTSE, 1,860 business days each. */
export async function readPrices(): Promise<Record<string, Float64Array>> {
  const { columns } = parseCsv(await readFile(FILE, 'utf8'), { source: FILE.pathname });
  const { day: _day, ...indices } = Object.fromEntries(columns);
  return indices;
}
