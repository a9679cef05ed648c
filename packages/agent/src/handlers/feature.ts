/** Task type FeatureEngineering: indicators of one series. */
import { computeIndicator } from '@quic-swarm/kernels';
import { SwarmError, type FeatureEngineeringInput, type FeatureSet } from '@quic-swarm/protocol';
import type { TaskContext } from '../task-handler.ts';
import { resolveSeries } from './series-reference.ts';

/** Computes a FeatureEngineering task. An indicator that is named twice gives its columns once. */
export default function computeFeatures(
  input: FeatureEngineeringInput,
  context: TaskContext,
): FeatureSet {
  const startedMs = performance.now();
  const series = resolveSeries(input.series, context, 'series');
  const columns = new Map<string, Float64Array>();
  for (const [index, indicator] of input.indicators.entries()) {
    if (context.isCancelled()) {
      throw new SwarmError('TASK_CANCELLED', 'The task was stopped between two indicators.');
    }
    for (const [name, values] of Object.entries(computeIndicator(indicator, series))) {
      columns.set(name, values);
    }
    context.progress((index + 1) / input.indicators.length, indicator);
  }
  return {
    rows: series.length,
    columns: [...columns].map(([name, values]) => ({ name, values })),
    route: 'typescript',
    elapsedMs: performance.now() - startedMs,
  };
}
