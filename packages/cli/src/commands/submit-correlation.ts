/** `swarm submit correlation`: every column with every other. */
import { basename } from 'node:path';
import type { InputOf, ResultOf } from '@quic-swarm/protocol';
import type { Command } from '../command-line/specification.ts';
import type { Values } from '../command-line/values.ts';
import { readTable } from '../input/series-file.ts';
import { inputError, usageError } from '../output/command-error.ts';
import { rowsOfSquare } from '../output/json.ts';
import { formatNumber, tableLines } from '../output/table.ts';
import { correlationPlot, PLOTTED_COLUMNS_MAX } from '../plot/correlation-plot.ts';
import { readPlotPath, writePlot } from '../plot/plot-file.ts';
import { readSubmissionOptions, submitAndReport, type ResultView } from '../session/submission.ts';

type Input = InputOf<'StrategyCorrelation'>;
type Result = ResultOf<'StrategyCorrelation'>;

/** What the command line says. */
export interface CorrelationOptions {
  readonly seriesPath: string;
  /** Undefined: every column of numbers. */
  readonly columns: readonly string[] | undefined;
  readonly method: 'pearson' | 'spearman';
  readonly shrinkage: Pick<Input, 'shrinkage' | 'autoShrinkage'>;
}

/** Reads the options. @throws BAD_OPTION */
export function parseCorrelationOptions(values: Values): CorrelationOptions {
  const columns = values.list('columns');
  const twice = columns?.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined) throw usageError(`--columns names "${twice}" twice.`, 'Name it once.');
  return {
    seriesPath: values.requiredText('series', '--series prices.csv'),
    columns,
    method: values.choice('method', ['pearson', 'spearman']) ?? 'pearson',
    shrinkage: parseShrinkage(values),
  };
}

function parseShrinkage(values: Values): Pick<Input, 'shrinkage' | 'autoShrinkage'> {
  if (values.text('shrinkage') === 'auto') return { autoShrinkage: true };
  const shrinkage = values.number('shrinkage', { min: 0, max: 1 });
  return shrinkage === undefined ? {} : { shrinkage };
}

/** The command. */
export const submitCorrelationCommand: Command = {
  async run(values, context) {
    const { seriesPath, columns, method, shrinkage } = parseCorrelationOptions(values);
    const submission = await readSubmissionOptions(values, context);
    const plotPath = await readPlotPath(values);
    const table = await readTable(seriesPath, 'series', columns);
    const names = [...table.columns.keys()];
    if (names.length === 0) throw inputError(`${seriesPath} has no column of numbers.`);
    if (table.rows === 0) {
      throw inputError(`${seriesPath} has a header and no rows: the series is empty.`);
    }
    if (plotPath !== undefined && names.length > PLOTTED_COLUMNS_MAX) {
      throw usageError(
        `--plot draws up to ${PLOTTED_COLUMNS_MAX} columns, ${seriesPath} has ${names.length}.`,
        'Choose some with --columns a,b,…',
      );
    }
    if (table.skipped.length > 0) {
      context.terminal.note(`Columns with text are left out: ${table.skipped.join(', ')}.`);
    }
    return submitAndReport(context, submission, {
      taskType: 'StrategyCorrelation',
      async prepare(swarm): Promise<Input> {
        const { datasetId } = await swarm.putTable(Object.fromEntries(table.columns));
        return {
          method,
          ...shrinkage,
          columns: names.map((name) => ({ name, series: { datasetId, column: name } })),
        };
      },
      ...correlationView,
      async keep(result) {
        if (plotPath === undefined) return;
        const note = shrinkageText(result as Result);
        const source = basename(seriesPath);
        const svg = correlationPlot({ ...(result as Result), source, note });
        await writePlot(context, plotPath, svg);
      },
    });
  },
};

/** How the result is told. */
export const correlationView: ResultView = {
  json: (result) => correlationJson(result as Result),
  lines: (result) => correlationLines(result as Result),
};

/** The same document with its squares as rows: a reader in any language knows which number is which. */
export function correlationJson(result: Result): object {
  const width = result.columns.length;
  return {
    ...result,
    matrix: rowsOfSquare(result.matrix, width),
    overlap: rowsOfSquare(result.overlap, width),
  };
}

function shrinkageText({ shrinkage }: Result): string | undefined {
  return shrinkage === undefined ? undefined : `shrunk by ${formatNumber(shrinkage, 3)}`;
}

function correlationLines(result: Result): string[] {
  const { columns, method, rows } = result;
  const shrunk = shrinkageText(result);
  const square = rowsOfSquare(result.matrix, columns.length);
  const body = columns.map((name, index) => ({ name, values: square[index] ?? [] }));
  type Row = (typeof body)[number];
  return [
    `${method} correlation of ${columns.length} columns, ${rows} rows${shrunk === undefined ? '' : `, ${shrunk}`}`,
    ...tableLines<Row>(
      [
        { title: '', text: (row) => row.name },
        ...columns.map((title, index) => ({
          title,
          align: 'right' as const,
          text: (row: Row) => formatNumber(row.values[index], 4),
        })),
      ],
      body,
    ),
  ];
}
