/** `swarm research forecast`: what the command line says, and the series that it names. */
import type { Values } from '../command-line/values.ts';
import { readColumns, readSeries, type Series } from '../input/series-file.ts';
import { inputError, usageError } from '../output/command-error.ts';
import { STRETCHES } from './volatility.ts';

/** What the command line says. */
export interface ForecastOptions {
  /** Files, each once. */
  readonly paths: readonly string[];
  /** Of every file; undefined: the one that it has. */
  readonly columns: readonly string[] | undefined;
  /** Steps ahead, and steps of the past in which analogues are looked for. */
  readonly horizon: number;
  readonly history: number;
  /** Rows from one step to the next. */
  readonly stride: number;
  /** At most so many steps. */
  readonly stepsMax: number | undefined;
}

/** Reads the options. @throws BAD_OPTION */
export function parseForecastOptions(values: Values): ForecastOptions {
  const paths = [...new Set(values.texts('series'))];
  if (paths.length === 0) {
    throw usageError('--series is missing.', 'For example: --series prices.csv --column DAX');
  }
  const columns = values.list('column');
  return {
    paths,
    columns: columns === undefined ? undefined : [...new Set(columns)],
    horizon: values.integer('horizon', { min: 1, max: 250 }) ?? 5,
    history: values.integer('history', { min: 50, max: 100_000 }) ?? 750,
    stride: values.integer('stride', { min: 1, max: 1000 }) ?? 1,
    stepsMax: values.integer('steps', { min: 1 }),
  };
}

/** The first row to forecast from: the whole history lies before it, and the longest stretch twice. */
export function firstRowOf({ history }: Pick<ForecastOptions, 'history'>): number {
  return Math.max(history, 2 * Math.max(...STRETCHES));
}

/** Reads all series. @throws BAD_OPTION, BAD_INPUT also for gaps, and for series that are too short */
export async function readForecastSeries(options: ForecastOptions): Promise<Series[]> {
  const { paths, columns, horizon } = options;
  const series: Series[] = [];
  for (const path of paths) {
    if (columns === undefined) series.push(await readSeries(path, undefined));
    else series.push(...(await readColumns(path, columns)));
  }
  for (const each of series) requirePrices(each, firstRowOf(options) + horizon + 1);
  return series;
}

/** Throws unless all values are prices, and at least so many. */
export function requirePrices({ source, name, values }: Series, rowsMin: number): void {
  const where = `${source}, column "${name}"`;
  const row = values.findIndex((value) => !(value > 0 && value < Infinity));
  if (row >= 0) {
    throw inputError(
      `${where}, row ${row} (from 0): ${values[row]} is no price.`,
      'Prices are above 0; fill or cut the gaps first.',
    );
  }
  if (values.length >= rowsMin) return;
  throw inputError(
    `${where} has ${values.length} rows; a forecast with its outcome needs ${rowsMin}.`,
    'Give a longer series, or take a shorter --history.',
  );
}
