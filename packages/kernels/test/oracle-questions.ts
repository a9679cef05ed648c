/**
 * Questions about real data that the kernels and an oracle both answer. A question is the JSON that test/oracle/scipy-oracle.py
 * takes as its argument, so a recorded answer can be asked for again by hand.
 */
import { readFileSync } from 'node:fs';
import {
  correlate,
  dtwDistance,
  lcsLength,
  lcssLength,
  rollingCorrelation,
  searchPattern,
  symbolise,
  type CorrelationMethod,
  type KernelEngine,
} from '../src/index.ts';

const ROOT = new URL('../../../', import.meta.url);

/** Values with null for a gap, or the column of a file; `csv` is a path from the root of the repository. */
export type ColumnSource =
  | readonly (number | null)[]
  | { readonly csv: string; readonly column: string; readonly returns?: true };

interface OfTwoColumns {
  readonly columns: readonly [ColumnSource, ColumnSource];
}

/** Rows of the series, from start to before end, that are searched for in all others. */
interface OfSearch {
  readonly series: ColumnSource;
  readonly query: readonly [start: number, end: number];
  readonly topK: number;
  readonly exclusionZone: number;
}

/** All that is asked; the first key says what. */
export type Question =
  | { readonly correlate: CorrelationMethod; readonly columns: readonly ColumnSource[] }
  | ({ readonly rolling: number; readonly minimumOverlap?: number } & OfTwoColumns)
  | ({ readonly search: 'dtw'; readonly band: number } & OfSearch)
  | ({ readonly search: 'lcss'; readonly epsilon: number; readonly delta: number } & OfSearch)
  | ({ readonly distance: 'dtw'; readonly band: number } & OfTwoColumns)
  | ({ readonly lcss: true; readonly epsilon: number; readonly delta: number } & OfTwoColumns)
  | ({ readonly lcs: true } & OfTwoColumns)
  | { readonly ranks: true; readonly columns: readonly [ColumnSource] }
  | {
      readonly sax: true;
      readonly alphabet: number;
      readonly segment: number;
      readonly columns: readonly [ColumnSource];
    };

/** What a question may be answered with; null stands for NaN. Each kind of question has some of these. */
export interface Answer {
  readonly matrix?: readonly (number | null)[];
  readonly overlap?: readonly number[];
  readonly shrinkage?: number;
  readonly values?: readonly (number | null)[];
  readonly matches?: readonly { readonly start: number; readonly distance: number }[];
  readonly distance?: number;
  readonly length?: number;
  readonly symbols?: readonly number[];
}

/** The values of a column, NaN where it has a gap. */
export function columnOf(source: ColumnSource): Float64Array {
  if (!('csv' in source)) return Float64Array.from(source, (value) => value ?? NaN);
  const [header = '', ...lines] = readFileSync(new URL(source.csv, ROOT), 'utf8')
    .trim()
    .split('\n');
  const place = header.split(',').findIndex((name) => name.trim() === source.column);
  if (place < 0) throw new Error(`${source.csv} has no column ${source.column}.`);
  const values = Float64Array.from(lines, (line) => Number(line.split(',')[place]));
  if (source.returns === undefined) return values;
  return values.slice(1).map((value, row) => value / (values[row] ?? NaN) - 1);
}

/** The answer of the kernels. */
export function answerOfKernels(question: Question, engine: KernelEngine): Answer {
  if ('search' in question) return searched(question, engine);
  const columns = question.columns.map(columnOf);
  if ('correlate' in question) {
    const options = { columns, method: question.correlate };
    const { matrix, overlap } = correlate(options, engine);
    const { shrinkage } = correlate({ ...options, shrinkage: 'auto' }, engine);
    return { matrix: withNulls(matrix), overlap: [...overlap], shrinkage };
  }
  const [a = new Float64Array(0), b = new Float64Array(0)] = columns;
  if ('rolling' in question) {
    const { rolling: window, minimumOverlap } = question;
    return { values: withNulls(rollingCorrelation(a, b, { window, minimumOverlap })) };
  }
  if ('distance' in question) return { distance: dtwDistance(a, b, question, engine) };
  if ('lcss' in question) return { length: lcssLength(a, b, question, engine) };
  if ('lcs' in question) {
    return { length: lcsLength(Int32Array.from(a), Int32Array.from(b), engine) };
  }
  if ('ranks' in question) return { values: [...engine.averageRanks(a)] };
  const { alphabet, segment } = question;
  return { symbols: [...symbolise(a, { method: 'sax', alphabet, segment })] };
}

function searched(question: Extract<Question, { search: string }>, engine: KernelEngine): Answer {
  const { search: algorithm, query, series: source, ...parameters } = question;
  const series = columnOf(source);
  const [start, end] = query;
  const excludeRange = { start, end };
  const pattern = series.slice(start, end);
  const options = { ...parameters, algorithm, series, query: pattern, excludeRange };
  const { matches } = searchPattern(options, engine);
  return { matches: matches.map((match) => ({ start: match.start, distance: match.distance })) };
}

function withNulls(values: Float64Array): (number | null)[] {
  return Array.from(values, (value) => (Number.isNaN(value) ? null : value));
}
