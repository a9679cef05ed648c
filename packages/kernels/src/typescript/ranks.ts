/**
 * Ranks of finite values, 1 for the smallest; equal values share the average of their ranks.
 * O(n log n).
 */
export function averageRanks(values: Float64Array): Float64Array {
  const sorted = values.slice().sort();
  // Average rank of the run of equal values that starts at each position of `sorted`.
  const rankOfRun = new Float64Array(values.length);
  for (let start = 0; start < sorted.length;) {
    let end = start + 1;
    while (end < sorted.length && sorted[end] === sorted[start]) end += 1;
    rankOfRun[start] = (start + 1 + end) / 2;
    start = end;
  }
  const ranks = new Float64Array(values.length);
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    ranks[i] = rankOfRun[low] as number;
  }
  return ranks;
}
