/**
 * How sure is a difference between two ways of forecasting, of which neighbouring errors resemble each other? Whole blocks
 * of steps are drawn again and again (Künsch 1989), in a circle so that the ends count like the middle (Politis & Romano
 * 1992), and the figure is computed anew from each draw.
 */
import { RandomSource } from '@quic-swarm/kernels';

/** An interval that covers the true figure with the probability that was asked for. */
export interface ConfidenceInterval {
  readonly lower: number;
  readonly upper: number;
}

/** Options of {@link blockBootstrap}; the defaults give the same interval on every machine. */
export interface BlockBootstrapOptions {
  /** Steps in a block: longer than what makes neighbours alike. */
  readonly blockLength: number;
  /** @default 2000 */
  readonly draws?: number;
  /** @default 0.95 */
  readonly confidence?: number;
  /** @default 1 */
  readonly seed?: number;
}

/** With fewer blocks nothing is said of how sure a figure is. */
const BLOCKS_MIN = 5;

/** Share of the error that one way saves against another, 1 − Σ own / Σ other: 0.1 is ten per cent less error. */
export function savedShare(own: readonly number[], other: readonly number[]): number {
  return 1 - sumOf(own) / sumOf(other);
}

/** The interval of {@link savedShare} for losses step by step. NaN of both where there are fewer than five blocks. */
export function blockBootstrap(
  own: readonly number[],
  other: readonly number[],
  options: BlockBootstrapOptions,
): ConfidenceInterval {
  const { draws = 2000, confidence = 0.95, seed = 1 } = options;
  const steps = own.length;
  const { blockLength } = options;
  // A block or two, drawn again and again, are always the same: that would look like certainty.
  if (steps < BLOCKS_MIN * blockLength) return { lower: Number.NaN, upper: Number.NaN };
  const random = new RandomSource(seed);
  const figures = Float64Array.from({ length: draws }, () => {
    let ownSum = 0;
    let otherSum = 0;
    for (let taken = 0; taken < steps; taken += blockLength) {
      const start = Math.floor(random.nextFloat() * steps);
      const end = start + Math.min(blockLength, steps - taken);
      for (let step = start; step < end; step += 1) {
        ownSum += own[step % steps] ?? 0;
        otherSum += other[step % steps] ?? 0;
      }
    }
    return 1 - ownSum / otherSum;
  }).sort();
  const outside = (1 - confidence) / 2;
  return { lower: quantile(figures, outside), upper: quantile(figures, 1 - outside) };
}

function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
