/** The estimated shrinkage beside R's corpcor, which is by the authors of the estimate. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { correlate } from '@quic-swarm/kernels';
import { describe, inject, it } from 'vitest';
import { columnOf } from '../../packages/kernels/test/oracle-questions.ts';
import { Agreement } from './agreement.ts';
import { ENGINES } from './engines.ts';
import { columnsOfEveryKind, returnsOf, rowsOf } from './made-columns.ts';
import { runProgram } from './programs.ts';

const SCRIPT = new URL('corpcor.R', import.meta.url).pathname;

function askCorpcor(columns: readonly Float64Array[]): number {
  const folder = mkdtempSync(join(tmpdir(), 'quic-swarm-oracle-'));
  try {
    const file = join(folder, 'columns.csv');
    // corpcor's variance is a mean of squares less a squared mean, which at a level of 1e6 leaves five digits; where a
    // column lies makes no difference to its correlations.
    const shifted = columns.map((column) => column.map((value) => value - (column[0] ?? 0)));
    const rows = Array.from(shifted[0] ?? [], (_, row) => shifted.map((column) => column[row]));
    const header = columns.map((_, place) => `c${place}`);
    writeFileSync(file, [header, ...rows].map((cells) => cells.join(',')).join('\n'));
    return Number(runProgram('Rscript', ['--vanilla', SCRIPT, file]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.runIf(inject('oracles').corpcor.isThere)("R's corpcor", () => {
  const agreement = new Agreement('corpcor');

  it('estimates the same shrinkage', () => {
    const names = ['DAX', 'SMI', 'CAC', 'FTSE'] as const;
    const tables = [
      names.map((name) => columnOf(returnsOf(name))),
      names.map((name) => Float64Array.from(rowsOf(returnsOf(name), 0, 20))),
      // Related, unrelated and tied columns, with few and with many rows.
      ...[5, 12, 60, 800].map((rows) =>
        columnsOfEveryKind(rows, rows)
          .slice(0, 5)
          .map((column) => columnOf(column)),
      ),
    ];
    for (const columns of tables) {
      const wanted = askCorpcor(columns);
      for (const engine of ENGINES) {
        const { shrinkage } = correlate({ columns, shrinkage: 'auto' }, engine);
        agreement.value(`shrinkage, ${engine.route}`, shrinkage, wanted, 1e-10);
      }
    }
  });
});
