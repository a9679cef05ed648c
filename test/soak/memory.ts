/** Memory after collections, and whether it grows with work. */
import { turn } from '@quic-swarm/testkit';

/** What the process holds, in bytes. */
export interface MemorySample {
  /** How much work was done, in whatever the soak counts. */
  readonly done: number;
  /** Objects and buffers of JavaScript. */
  readonly heapBytes: number;
  /** All of the process, quiche included; the allocator keeps what was freed, so that it only ever rises. */
  readonly residentBytes: number;
}

/** Collects what can be collected, and measures. */
export async function sampleMemory(done: number): Promise<MemorySample> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('A soak runs with --expose-gc.');
  // Finalizers of native objects run in turns of their own, after the collection that found them.
  for (let round = 0; round < 4; round += 1) {
    gc();
    for (let turns = 0; turns < 10; turns += 1) await turn();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { done, heapBytes: heapUsed + external, residentBytes: rss };
}

/** Bytes per unit of work by which a figure grows: the slope of the straight line nearest to the samples. */
export function growthOf(
  samples: readonly MemorySample[],
  figure: 'heapBytes' | 'residentBytes',
): number {
  const meanDone = mean(samples.map(({ done }) => done));
  const meanBytes = mean(samples.map((sample) => sample[figure]));
  let products = 0;
  let squares = 0;
  for (const sample of samples) {
    products += (sample.done - meanDone) * (sample[figure] - meanBytes);
    squares += (sample.done - meanDone) ** 2;
  }
  return products / squares;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
