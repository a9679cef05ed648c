/** Columns made from a seed, for what real data does not have: ties, gaps, constants, next to no rows. */
import { RandomSource } from '@quic-swarm/kernels';
import { columnOf, type ColumnSource } from '../../packages/kernels/test/oracle-questions.ts';

const EU_FILE = 'examples/data/eu-stock-markets.csv';

/** A column of the European indices. */
export function index(column: 'DAX' | 'SMI' | 'CAC' | 'FTSE'): ColumnSource {
  return { csv: EU_FILE, column };
}

/** Its simple returns. */
export function returnsOf(column: 'DAX' | 'SMI' | 'CAC' | 'FTSE'): ColumnSource {
  return { csv: EU_FILE, column, returns: true };
}

/** Rows from start to before end of a column. */
export function rowsOf(source: ColumnSource, start: number, end: number): number[] {
  return Array.from(columnOf(source).subarray(start, end));
}

/** An integer from 0 to before `end`. */
export function integerBelow(random: RandomSource, end: number): number {
  return Math.floor(random.nextFloat() * end);
}

/** Columns of every kind: related, unrelated, with ties, at a high level, with gaps, constant, constant beside another. */
export function columnsOfEveryKind(seed: number, rows: number): (number | null)[][] {
  const random = new RandomSource(seed);
  const list = (make: (row: number) => number | null): (number | null)[] =>
    Array.from({ length: rows }, (_, row) => make(row));
  const common = Array.from({ length: rows }, () => random.nextNormal());
  const at = (row: number): number => common[row] ?? 0;
  return [
    common,
    list((row) => at(row) + random.nextNormal()),
    list((row) => -2 * at(row) + 1e6 + random.nextNormal() / 10),
    list((row) => Math.round(at(row) + random.nextNormal())),
    list(() => integerBelow(random, 3)),
    list((row) => (random.nextFloat() < 0.3 ? null : at(row) + random.nextNormal())),
    list((row) => (random.nextFloat() < 0.6 ? null : Math.round(2 * at(row)))),
    // Beside the next one it has one value only; by itself it has two.
    list((row) => (row % 2 === 0 ? 5 : 7)),
    list((row) => (row % 2 === 0 ? at(row) : null)),
    list(() => 3),
    list(() => null),
  ];
}
