/** Task type StrategyCorrelation: every column against every other. */
import { correlate } from '@quic-swarm/kernels';
import type { StrategyCorrelation, StrategyCorrelationInput } from '@quic-swarm/protocol';
import type { TaskContext } from '../task-handler.ts';
import { kernelEngine } from './kernel-engine.ts';
import { resolveSeries } from './series-reference.ts';

/** Computes a StrategyCorrelation task. Rows that a shorter column does not have are gaps at its end. */
export default function correlateStrategies(
  input: StrategyCorrelationInput,
  context: TaskContext,
): StrategyCorrelation {
  const startedMs = performance.now();
  const series = input.columns.map(({ name, series }) =>
    resolveSeries(series, context, `column ${name}`),
  );
  const rows = series.reduce((longest, { length }) => Math.max(longest, length), 0);
  const columns = series.map((values) => padded(values, rows));
  const { method, autoShrinkage = false } = input;
  const shrink = autoShrinkage ? 'auto' : input.shrinkage;
  const { matrix, overlap, shrinkage } = correlate(
    { columns, method, shrinkage: shrink },
    kernelEngine,
  );
  return {
    method,
    columns: input.columns.map(({ name }) => name),
    rows,
    matrix,
    overlap,
    ...(shrinkage === 0 ? {} : { shrinkage }),
    route: kernelEngine.route,
    elapsedMs: performance.now() - startedMs,
  };
}

function padded(values: Float64Array, rows: number): Float64Array {
  if (values.length === rows) return values;
  const longer = new Float64Array(rows).fill(NaN);
  longer.set(values);
  return longer;
}
