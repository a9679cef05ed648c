/** What several tests of indicators share. */
import { RandomSource, type KernelError } from '../src/index.ts';

/** Bars of a seeded walk. */
export function barsOf(
  rows: number,
  seed: number,
): Record<'high' | 'low' | 'close' | 'volume', Float64Array> {
  const random = new RandomSource(seed);
  let level = 100;
  const close = Float64Array.from({ length: rows }, () => {
    level += random.nextBetween(-1, 1) - (level - 100) / 500;
    return level;
  });
  return {
    close,
    high: close.map((value) => value + random.nextFloat()),
    low: close.map((value) => value - random.nextFloat()),
    volume: close.map(() => random.nextBetween(0, 1e6)),
  };
}

/** What `call` raises; fails when it raises nothing. */
export function problemOf(call: () => unknown): KernelError {
  try {
    call();
  } catch (error) {
    return error as KernelError;
  }
  throw new Error('nothing was raised');
}
