/**
 * How sure a cut of the error is, by a block bootstrap: tasks of neighbouring days share their luck, and so do series on
 * the same day. So whole stretches of days are drawn with replacement, the same ones for all series, and the series with
 * replacement too (a two-way bootstrap; Künsch 1989 for blocks, Owen 2007 for crossed factors).
 */
import { RandomSource } from '@quic-swarm/kernels';
import type { VolatilityTask } from './volatility-tasks.ts';

/** About three months: many times as long as a forecast reaches. */
const BLOCK_DAYS = 60;
const DRAWS = 2000;

/** An interval of 95 %. */
export interface CutInterval {
  readonly lower: number;
  readonly upper: number;
}

/**
 * The interval of 1 − Σ losses / Σ others.
 *
 * @param losses of each task, in the order of `tasks`; `others` are what they are compared with
 */
export function cutInterval(
  tasks: readonly VolatilityTask[],
  losses: Float64Array,
  others: Float64Array,
): CutInterval {
  const firstDay = tasks[0]?.day ?? 0;
  const blockOf = ({ day }: VolatilityTask): number => Math.floor((day - firstDay) / BLOCK_DAYS);
  const blocks = tasks.reduce((most, task) => Math.max(most, blockOf(task) + 1), 0);
  const series = tasks.reduce((most, { seriesIndex }) => Math.max(most, seriesIndex + 1), 0);
  const own = new Float64Array(series * blocks);
  const other = new Float64Array(series * blocks);
  for (const [index, task] of tasks.entries()) {
    const cell = task.seriesIndex * blocks + blockOf(task);
    own[cell] = (own[cell] as number) + (losses[index] as number);
    other[cell] = (other[cell] as number) + (others[index] as number);
  }
  const random = new RandomSource(1);
  const draw = (count: number): number[] =>
    Array.from({ length: count }, () => Math.floor(count * random.nextFloat()));
  const cuts = Float64Array.from({ length: DRAWS }, () => {
    const drawnBlocks = draw(blocks);
    let [sum, otherSum] = [0, 0];
    for (const row of draw(series)) {
      for (const block of drawnBlocks) {
        sum += own[row * blocks + block] as number;
        otherSum += other[row * blocks + block] as number;
      }
    }
    return 1 - sum / otherSum;
  }).sort();
  return {
    lower: cuts[Math.floor(0.025 * DRAWS)] as number,
    upper: cuts[Math.ceil(0.975 * DRAWS) - 1] as number,
  };
}

/** The mean; 0 of nothing. */
export function meanLoss(losses: Float64Array): number {
  if (losses.length === 0) return 0;
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}
