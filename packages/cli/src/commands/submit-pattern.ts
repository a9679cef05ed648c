/** `swarm submit pattern`: the windows of a series that resemble a query most. */
import { basename } from 'node:path';
import { SHARDS_MAX, type InputOf, type ResultOf } from '@quic-swarm/protocol';
import type { Command } from '../command-line/specification.ts';
import type { Values } from '../command-line/values.ts';
import { readQuery, readSeries, refuseGaps, type Series } from '../input/series-file.ts';
import { inputError, usageError } from '../output/command-error.ts';
import { formatNumber, tableLines } from '../output/table.ts';
import { patternPlot } from '../plot/pattern-plot.ts';
import { readPlotPath, writePlot } from '../plot/plot-file.ts';
import { readSubmissionOptions, submitAndReport, type ResultView } from '../session/submission.ts';

type Input = InputOf<'PatternMatch'>;
type Result = ResultOf<'PatternMatch'>;

/** What a person calls the series, and where it is from. */
type SeriesName = Pick<Series, 'name' | 'source'>;

/** What the command line says, checked as far as it can be without reading a file. */
export interface PatternOptions {
  readonly seriesPath: string;
  readonly column: string | undefined;
  /** Rows of the series, end exclusive, or a file. */
  readonly query: { readonly start: number; readonly end: number } | { readonly path: string };
  readonly shards: 'auto' | number | undefined;
  /** The part of the task's input that needs no data. */
  readonly parameters: Pick<
    Input,
    | 'algorithm'
    | 'band'
    | 'epsilon'
    | 'delta'
    | 'exclusionZone'
    | 'maximumDistance'
    | 'normalise'
    | 'topK'
    | 'withPath'
  >;
}

/** Reads the options. @throws BAD_OPTION */
export function parsePatternOptions(values: Values): PatternOptions {
  const seriesPath = values.requiredText('series', '--series prices.csv');
  values.refuseBoth('query', 'query-rows');
  const path = values.text('query');
  const rows = values.text('query-rows');
  if (path === undefined && rows === undefined) {
    throw usageError(
      'A query is missing.',
      'Give --query FILE.csv, or --query-rows A:B for rows A to B-1 of the series.',
    );
  }
  const algorithm = values.choice('algorithm', ['dtw', 'lcss']) ?? 'dtw';
  const epsilon = values.number('epsilon', { min: 0 });
  const delta = values.integer('delta', { min: 0 });
  if (algorithm === 'dtw' && (epsilon !== undefined || delta !== undefined)) {
    throw usageError('--epsilon and --delta belong to --algorithm lcss.', 'Add --algorithm lcss.');
  }
  const withPath = values.isOn('path');
  if (algorithm === 'lcss' && withPath) {
    throw usageError('--path belongs to --algorithm dtw.', 'Leave out --path.');
  }
  const shards = parseShards(values.text('shards'));
  const band = values.integer('band', { min: 0 });
  const exclusionZone = values.integer('exclusion-zone', { min: 0 });
  const maximumDistance = values.number('within', { min: 0 });
  // Without a number of matches, --within asks for all of them.
  const topK =
    values.integer('top', { min: 1, max: 1000 }) ?? (maximumDistance === undefined ? 5 : undefined);
  return {
    seriesPath,
    column: values.text('column'),
    query: path === undefined ? parseRows(rows ?? '') : { path },
    shards,
    parameters: {
      algorithm,
      normalise: values.choice('normalise', ['z', 'none']) ?? 'z',
      ...(topK === undefined ? {} : { topK }),
      ...(withPath ? { withPath } : {}),
      ...(maximumDistance === undefined ? {} : { maximumDistance }),
      ...(band === undefined ? {} : { band }),
      ...(epsilon === undefined ? {} : { epsilon }),
      ...(delta === undefined ? {} : { delta }),
      ...(exclusionZone === undefined ? {} : { exclusionZone }),
    },
  };
}

/** `auto`, or how many. */
function parseShards(text: string | undefined): 'auto' | number | undefined {
  if (text === undefined || text === 'auto') return text;
  const shards = /^\d+$/.test(text) ? Number(text) : 0;
  if (shards >= 1 && shards <= SHARDS_MAX) return shards;
  throw usageError(
    `--shards cannot be "${text}".`,
    `Use auto, or a number from 1 to ${SHARDS_MAX}.`,
  );
}

/** `A:B`, rows A (inclusive) to B (exclusive). */
function parseRows(text: string): { start: number; end: number } {
  const match = /^(\d+):(\d+)$/.exec(text.trim());
  const start = Number(match?.[1]);
  const end = Number(match?.[2]);
  if (match === null || end <= start) {
    throw usageError(
      `--query-rows "${text}" is not A:B with A < B.`,
      'Rows count from 0; 100:164 takes the 64 rows 100 to 163.',
    );
  }
  return { start, end };
}

/** The command. */
export const submitPatternCommand: Command = {
  async run(values, context) {
    const options = parsePatternOptions(values);
    const submission = await readSubmissionOptions(values, context);
    const plotPath = await readPlotPath(values);
    const series = await readSeries(options.seriesPath, options.column);
    const query = await queryOf(options, series);
    checkLengths(series, query, options);
    return submitAndReport(context, submission, {
      taskType: 'PatternMatch',
      shards: options.shards,
      async prepare(swarm): Promise<Input> {
        const { datasetId } = await swarm.putTable({ [series.name]: series.values });
        const reference = { datasetId, column: series.name };
        if ('path' in options.query) {
          return { series: reference, query: { values: query.values }, ...options.parameters };
        }
        const { start, end } = options.query;
        return {
          series: reference,
          query: { ...reference, start, end },
          excludeRows: { start, end },
          ...options.parameters,
        };
      },
      ...patternView(series),
      async keep(result) {
        if (plotPath === undefined) return;
        const queryRows = 'path' in options.query ? undefined : options.query;
        const svg = patternPicture(result as Result, series, query.values, queryRows);
        await writePlot(context, plotPath, svg);
      },
    });
  },
};

/** How the result is told; without the series its head says only how long that is. */
export function patternView(series?: SeriesName): ResultView {
  return {
    json: (result) => result,
    lines: (result) => patternLines(result as Result, series),
  };
}

async function queryOf({ query }: PatternOptions, series: Series): Promise<Series> {
  if ('path' in query) {
    const file = await readQuery(query.path, series.name);
    refuseGaps(file);
    return file;
  }
  const { start, end } = query;
  const rows = series.values.length;
  if (end > rows) {
    throw usageError(
      `--query-rows ${start}:${end} ends after the series: ${series.source} has ${rows} rows.`,
      `B can be ${rows} at most; rows count from 0.`,
    );
  }
  const values = series.values.subarray(start, end);
  refuseGaps({ ...series, values }, start);
  return { ...series, values };
}

/** The two mistakes that are seen before anything is sent; the kernel checks the rest. */
function checkLengths(series: Series, query: Series, { parameters }: PatternOptions): void {
  const length = query.values.length;
  const rows = series.values.length;
  if (length > rows) {
    throw inputError(
      `The query has ${length} rows, the series only ${rows}.`,
      'Take a shorter query or a longer series.',
    );
  }
  const { band } = parameters;
  if (band !== undefined && band >= length) {
    throw usageError(
      `--band ${band} does not fit a query of ${length} rows.`,
      `A band is from 0 to ${length - 1}; a twentieth of the query is usual.`,
    );
  }
}

function patternPicture(
  { algorithm, parameters, matches }: Result,
  { name, source, values }: Series,
  query: Float64Array,
  queryRows: { readonly start: number; readonly end: number } | undefined,
): string {
  const { band, normalise } = parameters;
  return patternPlot({
    algorithm,
    band,
    normalise,
    name,
    source: basename(source),
    series: values,
    query,
    queryRows,
    matches,
  });
}

/** The matches as a table, then what was searched. */
export function patternLines(result: Result, series?: SeriesName): string[] {
  const { matches, parameters, stats, algorithm, seriesDigest } = result;
  const searched =
    series === undefined
      ? `a series of ${seriesDigest.length} rows`
      : `${series.name} of ${series.source}`;
  const columns = [
    { title: '#', align: 'right', text: (row: Ranked) => String(row.rank) },
    {
      title: 'rows',
      align: 'right',
      text: ({ start, length }: Ranked) => `${start}-${start + length - 1}`,
    },
    { title: 'distance', align: 'right', text: (row: Ranked) => formatNumber(row.distance) },
    {
      title: 'per row',
      align: 'right',
      text: (row: Ranked) => formatNumber(row.normalizedDistance, 4),
    },
    ...(algorithm === 'lcss'
      ? [
          {
            title: 'similarity',
            align: 'right',
            text: (row: Ranked) => formatNumber(row.similarity, 4),
          } as const,
        ]
      : []),
    ...(matches.some(({ path }) => path !== undefined)
      ? [
          {
            title: 'warped by',
            align: 'right',
            text: ({ path }: Ranked) => warpText(path ?? new Uint32Array(0)),
          } as const,
        ]
      : []),
  ] as const;
  const ranked = matches.map((match, index) => ({ ...match, rank: index + 1 }));
  const skipped = stats['nonFiniteWindows'] ?? 0;
  const { maximumDistance } = parameters;
  const within =
    maximumDistance === undefined ? '' : `, distance up to ${formatNumber(maximumDistance)}`;
  const { shards, attempts } = stats;
  const split = shards === undefined ? '' : `, in ${shards} shards and ${attempts} attempts`;
  return [
    `${algorithm.toUpperCase()} of ${parameters.length} rows, band ${parameters.band}${within}, in ${searched}`,
    ...(ranked.length === 0 ? ['No window matches.'] : tableLines<Ranked>(columns, ranked)),
    ...(result.truncated === true
      ? [`There are more: these are the best ${ranked.length}. Take a smaller --within.`]
      : []),
    `${stats['positions'] ?? 0} windows searched${skipped > 0 ? `, ${skipped} with gaps left out` : ''}${split}`,
  ];
}

/** How far the window lags behind the query at most, and how far it runs ahead: `-3 to +1 rows`. */
function warpText(path: Uint32Array): string {
  let ahead = 0;
  let behind = 0;
  for (let step = 0; step + 1 < path.length; step += 2) {
    const shift = (path[step + 1] ?? 0) - (path[step] ?? 0);
    if (shift > behind) behind = shift;
    if (-shift > ahead) ahead = -shift;
  }
  return ahead + behind === 0 ? 'nothing' : `-${ahead} to +${behind} rows`;
}

type Ranked = Result['matches'][number] & { readonly rank: number };
