/** The handler of example 04: a circular block bootstrap of the Sharpe ratio (Politis & Romano 1992). */
import { RandomSource } from '@quic-swarm/kernels';

/**
 * @param {{ datasetId: string, column: string, blockDays: number, resamples: number, seed: number }} input
 * @param {import('@quic-swarm/agent').TaskContext} context
 */
export default function bootstrapSharpe(input, context) {
  const { datasetId, column, blockDays, resamples, seed } = input;
  if (seed === -2) {
    // What cannot succeed should say so, and is not tried again.
    throw Object.assign(new RangeError('a seed of −2 makes no sense'), { retryable: false });
  }
  if (seed === -1 && context.attempt === 1) throw new Error('the data source was busy');
  const prices = context.datasets.get(datasetId)?.table().columns.get(column);
  if (prices === undefined) throw new Error(`There is no column ${column}.`);
  const returns = Float64Array.from(prices.subarray(1), (price, day) =>
    Math.log(price / prices[day]),
  );
  const random = new RandomSource(Math.max(0, seed));
  const ratios = [];
  for (let resample = 0; resample < resamples; resample += 1) {
    if (context.isCancelled()) break;
    ratios.push(sharpeOfResample(returns, blockDays, random));
    if (resample % 100 === 99) context.progress((resample + 1) / resamples);
  }
  return ratios;
}

/**
 * Days are drawn in runs, so that what one day says about the next stays in.
 *
 * @param {Float64Array} returns
 * @param {number} blockDays
 * @param {RandomSource} random
 */
function sharpeOfResample(returns, blockDays, random) {
  let sum = 0;
  let sumOfSquares = 0;
  for (let day = 0, from = 0; day < returns.length; day += 1) {
    if (day % blockDays === 0) from = random.nextUint32() % returns.length;
    const value = returns[(from + (day % blockDays)) % returns.length];
    sum += value;
    sumOfSquares += value * value;
  }
  const mean = sum / returns.length;
  return (mean / Math.sqrt(sumOfSquares / returns.length - mean * mean)) * Math.sqrt(252);
}
