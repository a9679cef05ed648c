/**
 * Turns a price series into rows for supervised learning: the last few logarithmic returns as
 * inputs, the next one as target. A row only ever looks back: its target is the first return after
 * its inputs.
 */
import { requireAtLeast, requireInteger } from './check.ts';
import { logReturns } from './indicators/returns.ts';
import type { IndexRange } from './shards.ts';

/** How to cut the rows. */
export interface LaggedWindowOptions {
  /** Prices, positive; gaps and other values drop the rows that touch them. */
  readonly series: Float64Array;
  /** Returns per row, 1 or more. */
  readonly lags: number;
  /** Factor on inputs and targets; 100 gives per cent, which suits fresh networks better. @default 1 */
  readonly scale?: number | undefined;
}

/** Rows to learn from, in the order of time. */
export interface SupervisedRows {
  readonly rows: number;
  /** Inputs per row, the oldest return first. */
  readonly features: number;
  /** rows × features, row by row. */
  readonly inputs: Float64Array;
  /** One value per row. */
  readonly targets: Float64Array;
  /** Row of the series at which each target becomes known. */
  readonly targetIndices: Uint32Array;
}

/**
 * Builds one row for each position of the series whose `lags` returns before it and whose own return
 * are all known. A series that is too short gives no rows.
 *
 * @throws KernelError BAD_PARAMETER when lags is not an integer of 1 or more or scale is negative
 */
export function buildLaggedWindows(options: LaggedWindowOptions): SupervisedRows {
  const lags = requireInteger('lags', options.lags, 1);
  const scale = requireAtLeast('scale', options.scale ?? 1, 0);
  const returns = logReturns(options.series);
  const usable: number[] = [];
  let known = 0;
  for (let i = 0; i < returns.length; i += 1) {
    known = Number.isNaN(returns[i]) ? 0 : known + 1;
    if (known > lags) usable.push(i);
  }
  const inputs = new Float64Array(usable.length * lags);
  const targets = new Float64Array(usable.length);
  for (const [row, index] of usable.entries()) {
    for (let lag = 0; lag < lags; lag += 1) {
      inputs[row * lags + lag] = scale * (returns[index - lags + lag] as number);
    }
    targets[row] = scale * (returns[index] as number);
  }
  const targetIndices = Uint32Array.from(usable);
  return { rows: usable.length, features: lags, inputs, targets, targetIndices };
}

/** The rows start … end − 1 as views, without copying; see `splitRange` for even shards. */
export function sliceRows(all: SupervisedRows, { start, end }: IndexRange): SupervisedRows {
  requireInteger('end', end, 0, all.rows);
  requireInteger('start', start, 0, end);
  return {
    rows: end - start,
    features: all.features,
    inputs: all.inputs.subarray(start * all.features, end * all.features),
    targets: all.targets.subarray(start, end),
    targetIndices: all.targetIndices.subarray(start, end),
  };
}
