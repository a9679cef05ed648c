/** `swarm submit features`: indicators of one series, or of bars. */
import type { InputOf, ResultOf } from '@quic-swarm/protocol';
import type { Command } from '../command-line/specification.ts';
import type { Values } from '../command-line/values.ts';
import { readColumns, readSeries, type Series } from '../input/series-file.ts';
import { usageError } from '../output/command-error.ts';
import { reportedErrorOf } from '../output/failure-report.ts';
import { formatNumber, tableLines } from '../output/table.ts';
import { readSubmissionOptions, submitAndReport, type ResultView } from '../session/submission.ts';

type Input = InputOf<'FeatureEngineering'>;
type Result = ResultOf<'FeatureEngineering'>;

/** Rows of the result that a person sees; `--json` has all. */
const SHOWN_ROWS = 5;

/** Columns that bars have beside the close; also the options that name them. */
const BAR_COLUMNS = ['high', 'low', 'volume'] as const;
type BarColumn = (typeof BAR_COLUMNS)[number];

/** What the command line says. */
export interface FeatureOptions {
  readonly seriesPath: string;
  readonly column: string | undefined;
  /** The other columns of the same bars, by what they are. */
  readonly others: Readonly<Partial<Record<BarColumn, string>>>;
  readonly indicators: readonly string[];
}

/** Reads the options. @throws BAD_OPTION */
export function parseFeatureOptions(values: Values): FeatureOptions {
  const seriesPath = values.requiredText('series', '--series prices.csv');
  const column = values.text('column');
  const indicators = values.list('indicators');
  if (indicators === undefined) {
    throw usageError('--indicators is missing.', 'For example: --indicators sma20,rsi14,macd');
  }
  const others: Partial<Record<BarColumn, string>> = {};
  for (const name of BAR_COLUMNS) {
    const given = values.text(name);
    if (given !== undefined) others[name] = given;
  }
  return { seriesPath, column, others, indicators };
}

/** The command. */
export const submitFeaturesCommand: Command = {
  async run(values, context) {
    const options = parseFeatureOptions(values);
    const submission = await readSubmissionOptions(values, context);
    await checkIndicators(options);
    const { close, others } = await readBars(options);
    return submitAndReport(context, submission, {
      taskType: 'FeatureEngineering',
      async prepare(swarm): Promise<Input> {
        const all = [close, ...others.values()];
        const { datasetId } = await swarm.putTable(
          Object.fromEntries(all.map(({ name, values: numbers }) => [name, numbers])),
        );
        const input: Input = {
          series: { datasetId, column: close.name },
          indicators: [...options.indicators],
        };
        for (const [name, series] of others) input[name] = { datasetId, column: series.name };
        return input;
      },
      ...featuresView,
    });
  },
};

/** How the result is told. */
export const featuresView: ResultView = {
  json: (result) => featuresJson(result as Result),
  lines: (result) => featureLines(result as Result),
};

/** The series, and the other columns of its bars by what they are. */
async function readBars({ seriesPath, column, others }: FeatureOptions): Promise<{
  readonly close: Series;
  readonly others: ReadonlyMap<BarColumn, Series>;
}> {
  const named = BAR_COLUMNS.filter((name) => others[name] !== undefined);
  if (named.length === 0) {
    return { close: await readSeries(seriesPath, column), others: new Map() };
  }
  if (column === undefined) {
    throw usageError(
      `--column is missing: ${named.map((name) => `--${name}`).join(' and ')} belong to the closes of bars.`,
      'Add --column with the name of the column that holds the closes.',
    );
  }
  const names = [column, ...named.map((name) => others[name] as string)];
  const [close, ...rest] = await readColumns(seriesPath, names);
  return {
    close: close as Series,
    others: new Map(named.map((name, index) => [name, rest[index] as Series])),
  };
}

/** The kernel itself knows which names it has, and what they need. */
async function checkIndicators({ indicators, others }: FeatureOptions): Promise<void> {
  const { columnsNeededBy } = await import('@quic-swarm/kernels');
  for (const name of indicators) {
    let needed: readonly BarColumn[];
    try {
      needed = columnsNeededBy(name);
    } catch (error) {
      const { message } = reportedErrorOf(error);
      const hint = error instanceof Error && 'hint' in error ? String(error.hint) : undefined;
      throw usageError(`--indicators: ${message}`, hint);
    }
    const missing = needed.filter((column) => others[column] === undefined);
    if (missing.length === 0) continue;
    throw usageError(
      `--indicators: ${name} needs ${missing.join(' and ')} beside the series.`,
      `Add ${missing.map((column) => `--${column} COLUMN`).join(' ')}.`,
    );
  }
}

/** The same document with its columns by name; null in the warm-up. */
export function featuresJson(result: Result): object {
  const columns = result.columns.map(({ name, values }) => [name, values] as const);
  return { ...result, columns: Object.fromEntries(columns) };
}

function featureLines({ rows, columns }: Result): string[] {
  const first = Math.max(0, rows - SHOWN_ROWS);
  const shown = Array.from({ length: rows - first }, (_, index) => first + index);
  return [
    `${columns.length} columns of ${rows} rows; the last ${shown.length} (all with --json):`,
    ...tableLines<number>(
      [
        { title: 'row', align: 'right', text: String },
        ...columns.map(({ name, values }) => ({
          title: name,
          align: 'right' as const,
          text: (row: number) => formatNumber(values[row]),
        })),
      ],
      shown,
    ),
  ];
}
