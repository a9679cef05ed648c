/**
 * Mean and sum of squared deviations over a sliding window, without the drift of running sums.
 *
 * A running sum that adds the new value and subtracts the old one keeps the rounding of every value
 * it ever held: one spike spoils all later rows. Here the run is cut into chunks of one window
 * length; every window is the tail of one chunk and the head of the next, both of which grew by
 * additions only (van Herk 1992), and the two are merged (Chan, Golub & LeVeque 1979). O(1) per row.
 */
import { forEachFiniteRun } from './finite-runs.ts';

/** Called for every complete window with its last row, mean and Σ(x − mean)². */
export type WindowVisitor = (row: number, mean: number, squaredDeviations: number) => void;

/** Visits all windows of `period` rows that hold finite values only. */
export function forEachWindow(values: Float64Array, period: number, visit: WindowVisitor): void {
  if (period > values.length) return;
  const tailMeans = new Float64Array(period + 1);
  const tailSquares = new Float64Array(period + 1);
  forEachFiniteRun(values, (start, end) => {
    for (let chunk = start; chunk + period <= end; chunk += period) {
      fillTails(values, chunk, period, tailMeans, tailSquares);
      let headMean = 0;
      let headSquares = 0;
      visit(chunk + period - 1, tailMeans[period] as number, tailSquares[period] as number);
      for (let head = 1; head < period && chunk + period + head <= end; head += 1) {
        const row = chunk + period + head - 1;
        const delta = (values[row] as number) - headMean;
        headMean += delta / head;
        headSquares += delta * ((values[row] as number) - headMean);
        const tail = period - head;
        const tailMean = tailMeans[tail] as number;
        const gap = headMean - tailMean;
        visit(
          row,
          tailMean + (gap * head) / period,
          (tailSquares[tail] as number) + headSquares + (gap * gap * head * tail) / period,
        );
      }
    }
  });
}

/** Moments of the last 1 … period values of the chunk, by Welford's updates from its end. */
function fillTails(
  values: Float64Array,
  chunk: number,
  period: number,
  means: Float64Array,
  squares: Float64Array,
): void {
  let mean = 0;
  let squared = 0;
  for (let count = 1; count <= period; count += 1) {
    const value = values[chunk + period - count] as number;
    const delta = value - mean;
    mean += delta / count;
    squared += delta * (value - mean);
    means[count] = mean;
    squares[count] = squared;
  }
}
