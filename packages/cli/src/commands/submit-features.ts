/** `swarm submit features`: indicators of one series. */
import type { InputOf, ResultOf } from '@quic-swarm/protocol';
import type { Command } from '../command-line/specification.ts';
import type { Values } from '../command-line/values.ts';
import { readSeries } from '../input/series-file.ts';
import { usageError } from '../output/command-error.ts';
import { reportedErrorOf } from '../output/failure-report.ts';
import { formatNumber, tableLines } from '../output/table.ts';
import { readSubmissionOptions, submitAndReport } from '../session/submission.ts';

type Input = InputOf<'FeatureEngineering'>;
type Result = ResultOf<'FeatureEngineering'>;

/** Rows of the result that a person sees; `--json` has all. */
const SHOWN_ROWS = 5;

/** What the command line says. */
export interface FeatureOptions {
  readonly seriesPath: string;
  readonly column: string | undefined;
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
  return { seriesPath, column, indicators };
}

/** The command. */
export const submitFeaturesCommand: Command = {
  async run(values, context) {
    const { seriesPath, column, indicators } = parseFeatureOptions(values);
    const submission = await readSubmissionOptions(values, context);
    const series = await readSeries(seriesPath, column);
    await checkIndicators(indicators);
    return submitAndReport(context, submission, {
      taskType: 'FeatureEngineering',
      async prepare(swarm): Promise<Input> {
        const { datasetId } = await swarm.putTable({ [series.name]: series.values });
        return { series: { datasetId, column: series.name }, indicators: [...indicators] };
      },
      json: (result) => featuresJson(result as Result),
      lines: (result) => featureLines(result as Result),
    });
  },
};

/** The kernel itself knows which names it has: asked with an empty series, it computes nothing. */
async function checkIndicators(indicators: readonly string[]): Promise<void> {
  const { computeIndicator } = await import('@quic-swarm/kernels');
  for (const name of indicators) {
    try {
      computeIndicator(name, new Float64Array(0));
    } catch (error) {
      const { message } = reportedErrorOf(error);
      const hint = error instanceof Error && 'hint' in error ? String(error.hint) : undefined;
      throw usageError(`--indicators: ${message}`, hint);
    }
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
