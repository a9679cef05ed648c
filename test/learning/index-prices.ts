/** The four indices of the examples, on which nothing of the learner was tuned. */
import { readFileSync } from 'node:fs';
import { parseCsv } from '@quic-swarm/cli';

const FILE = new URL('../../examples/data/eu-stock-markets.csv', import.meta.url);

/** DAX, SMI, CAC and FTSE: 1,860 daily closes each. */
export function indexPrices(): Float64Array[] {
  const { columns } = parseCsv(readFileSync(FILE, 'utf8'), { source: FILE.pathname });
  return ['DAX', 'SMI', 'CAC', 'FTSE'].map((name) => columns.get(name) ?? new Float64Array());
}
