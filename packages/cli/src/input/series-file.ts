/** From a path and a column name to numbers. */
import { suggest } from '../command-line/suggestion.ts';
import { inputError, usageError } from '../output/command-error.ts';
import { readTextFile } from '../session/trust.ts';
import { parseCsv, type CsvTable } from './csv.ts';

/** One column of a file. */
export interface Series {
  readonly source: string;
  readonly name: string;
  readonly values: Float64Array;
}

/** Reads a CSV file; `option` names it in errors. @throws BAD_OPTION, BAD_INPUT */
export async function readTable(
  path: string,
  option: string,
  columns?: readonly string[],
): Promise<CsvTable> {
  const text = await readTextFile(path, `--${option}`);
  if (text.includes('\0')) {
    throw inputError(`${path} is no text file in UTF-8.`, 'Save it as CSV in UTF-8.');
  }
  return parseCsv(text, { source: path, ...(columns === undefined ? {} : { columns }) });
}

/** Reads one column; without a name the file must have one column of numbers only. Refuses an empty series. */
export async function readSeries(path: string, column: string | undefined): Promise<Series> {
  const table = await readTable(path, 'series', column === undefined ? undefined : [column]);
  const [entry, ...others] = table.columns;
  if (entry === undefined) throw inputError(`${path} has no column of numbers.`);
  if (others.length > 0) {
    throw usageError(
      `--column is missing: ${path} has ${others.length + 1} columns of numbers.`,
      `Known: ${[...table.columns.keys()].join(', ')}.`,
    );
  }
  const [name, values] = entry;
  return nonEmpty({ source: path, name, values });
}

/** Reads several columns of one file in one go. Refuses empty ones. @throws BAD_OPTION, BAD_INPUT */
export async function readColumns(path: string, names: readonly string[]): Promise<Series[]> {
  const { columns } = await readTable(path, 'series', [...new Set(names)]);
  return names.map((name) =>
    nonEmpty({ source: path, name, values: columns.get(name) ?? new Float64Array() }),
  );
}

/** Reads a query: the only column of its file, or the one that is called like the column of the series. */
export async function readQuery(path: string, column: string): Promise<Series> {
  const table = await readTable(path, 'query');
  const [entry, ...others] = table.columns;
  const named = table.columns.get(column);
  if (named !== undefined) return nonEmpty({ source: path, name: column, values: named });
  if (entry === undefined) throw inputError(`${path} has no column of numbers.`);
  if (others.length > 0) {
    throw usageError(
      `${path} has ${others.length + 1} columns of numbers, none called "${column}".`,
      `A query file has one column, or one called like the series. ${suggest(column, [...table.columns.keys()])}`,
    );
  }
  return nonEmpty({ source: path, name: entry[0], values: entry[1] });
}

/** Throws when a query has a gap: nothing resembles a shape that is not known. */
export function refuseGaps({ source, name, values }: Series, firstRow = 0): void {
  const row = values.findIndex((value) => Number.isNaN(value));
  if (row < 0) return;
  throw inputError(
    `The query has a gap: ${source}, column "${name}", row ${row + firstRow} (from 0) is empty.`,
    'Take a query without gaps. Gaps in the series are fine: windows with a gap are left out.',
  );
}

function nonEmpty(series: Series): Series {
  if (series.values.length > 0) return series;
  throw inputError(
    `${series.source}, column "${series.name}": the series is empty.`,
    'Give a file with at least one row of numbers.',
  );
}
