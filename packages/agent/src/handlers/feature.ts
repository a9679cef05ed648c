/** Task type FeatureEngineering: indicators of one series, or of bars. */
import { computeIndicators, type PriceColumns } from '@quic-swarm/kernels';
import { SwarmError, type FeatureEngineeringInput, type FeatureSet } from '@quic-swarm/protocol';
import type { TaskContext } from '../task-handler.ts';
import { resolveSeries } from './series-reference.ts';

/** As many as a FeatureSet may carry. */
const COLUMNS_MAX = 1024;

/** Computes a FeatureEngineering task. An indicator that is named twice gives its columns once. */
export default function computeFeatures(
  input: FeatureEngineeringInput,
  context: TaskContext,
): FeatureSet {
  const startedMs = performance.now();
  const series = resolveSeries(input.series, context, 'series');
  const columns = computeIndicators(input.indicators, series, otherColumns(input, context), {
    onProgress: (fraction) => context.progress(fraction),
    shouldStop: () => context.isCancelled(),
  });
  const entries = Object.entries(columns);
  if (entries.length > COLUMNS_MAX) {
    throw new SwarmError(
      'BAD_INPUT',
      `The indicators have ${entries.length} columns; a result carries ${COLUMNS_MAX} at most.`,
      { hint: 'Share the indicators out over several tasks.' },
    );
  }
  return {
    rows: series.length,
    columns: entries.map(([name, values]) => ({ name, values })),
    route: 'typescript',
    elapsedMs: performance.now() - startedMs,
  };
}

/** The columns of the same bars that the task names besides the series. */
function otherColumns(
  input: FeatureEngineeringInput,
  context: TaskContext,
): Omit<PriceColumns, 'close'> {
  const columns: { -readonly [Name in keyof PriceColumns]: Float64Array } = {};
  for (const name of ['high', 'low', 'volume'] as const) {
    const reference = input[name];
    if (reference !== undefined) columns[name] = resolveSeries(reference, context, name);
  }
  return columns;
}
