/** The handler of example 03. Runs in a worker thread; the prices lie in memory that all threads share. */

/**
 * @param {{ datasetId: string, column: string, fast: number[], slow: number[] }} input
 * @param {import('@quic-swarm/agent').TaskContext} context
 */
export default function backtestCrossovers(input, context) {
  const prices = context.datasets.get(input.datasetId)?.table().columns.get(input.column);
  if (prices === undefined) throw new Error(`There is no column ${input.column}.`);
  let best = { fast: 0, slow: 0, sharpe: -Infinity };
  for (const [index, fast] of input.fast.entries()) {
    let bestOfFast = { fast, slow: 0, sharpe: -Infinity };
    for (const slow of input.slow) {
      if (context.isCancelled()) return best;
      const sharpe = sharpeOf(prices, fast, slow);
      if (sharpe > bestOfFast.sharpe) bestOfFast = { fast, slow, sharpe };
    }
    context.emit(bestOfFast);
    context.progress((index + 1) / input.fast.length, `fast ${fast}`);
    if (bestOfFast.sharpe > best.sharpe) best = bestOfFast;
  }
  return best;
}

/**
 * Holds the index on the day after the fast average was above the slow one, and nothing otherwise.
 *
 * @param {Float64Array} prices
 * @param {number} fast
 * @param {number} slow
 */
function sharpeOf(prices, fast, slow) {
  let days = 0;
  let sum = 0;
  let sumOfSquares = 0;
  for (let day = slow; day < prices.length; day += 1) {
    const isIn = meanBefore(prices, day, fast) > meanBefore(prices, day, slow);
    const gain = isIn ? Math.log(prices[day] / prices[day - 1]) : 0;
    days += 1;
    sum += gain;
    sumOfSquares += gain * gain;
  }
  const mean = sum / days;
  return (mean / Math.sqrt(sumOfSquares / days - mean * mean)) * Math.sqrt(252);
}

/**
 * @param {Float64Array} prices
 * @param {number} day exclusive
 * @param {number} length
 */
function meanBefore(prices, day, length) {
  let sum = 0;
  for (let i = day - length; i < day; i += 1) sum += prices[i];
  return sum / length;
}
