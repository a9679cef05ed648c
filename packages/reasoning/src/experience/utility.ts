/**
 * From losses to utilities. A loss has the unit of its task type (squared error, Brier score, …); a utility lies in
 * [0, 1], higher is better, so that the evidence can bet on differences without fear of an outlier:
 *
 *     u = 1 − min(loss / scale, 1)
 *
 * The scale is the 95th percentile of the losses of the previous epoch, and stays frozen for an epoch: two
 * utilities of one epoch have one unit. Epochs are counted in losses: 20 at first, then twice as many each time up
 * to 1,280, so that the first scale comes early and later ones are steady. A scale never depends on the loss that it
 * scores, nor on a later one. Losses near 0 are harmless: nothing is divided by an outcome, only by the scale.
 */

/** An epoch's length: 20 · 2ⁿ losses, at most EPOCH_LOSSES_MAX. A 95th percentile needs at least 20. */
const FIRST_EPOCH_LOSSES = 20;
const EPOCH_LOSSES_MAX = 1280;
const SCALE_QUANTILE = 0.95;

/** A {@link UtilityScale} as plain data. */
export interface UtilityScaleSnapshot {
  readonly epoch: number;
  /** Left out in the first epoch. */
  readonly scale?: number;
  /** Losses of the current epoch, oldest first. */
  readonly losses: readonly number[];
}

/** The running scale of the losses of one task type. */
export class UtilityScale {
  #epoch = 0;
  #scale: number | undefined;
  #losses: number[] = [];

  /** Continues where another scale was when it was written down. */
  static restore(snapshot: UtilityScaleSnapshot): UtilityScale {
    const restored = new UtilityScale();
    restored.#epoch = snapshot.epoch;
    restored.#scale = snapshot.scale;
    restored.#losses = [...snapshot.losses];
    return restored;
  }

  /** Which epoch it is, from 0. In epoch 0 there is no scale. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The scale of this epoch; undefined in the first one. */
  get scale(): number | undefined {
    return this.#scale;
  }

  /**
   * Takes one more loss into account, for the scale of the *next* epoch. Score a loss before observing it.
   *
   * @throws RangeError when the loss is not a finite number of 0 or more
   */
  observe(loss: number): void {
    if (!isLoss(loss)) throw new RangeError(`A loss must be a finite number ≥ 0, not ${loss}.`);
    this.#losses.push(loss);
    if (this.#losses.length < Math.min(FIRST_EPOCH_LOSSES * 2 ** this.#epoch, EPOCH_LOSSES_MAX)) {
      return;
    }
    const sorted = Float64Array.from(this.#losses).sort();
    // Nearest rank: the smallest loss that at least 95 % of the epoch's losses do not exceed.
    this.#scale = sorted[Math.ceil(SCALE_QUANTILE * sorted.length) - 1];
    this.#epoch += 1;
    this.#losses = [];
  }

  snapshot(): UtilityScaleSnapshot {
    return {
      epoch: this.#epoch,
      ...(this.#scale === undefined ? {} : { scale: this.#scale }),
      losses: [...this.#losses],
    };
  }
}

/**
 * 1 − min(loss / scale, 1). With a scale of 0 (at least 95 % of the losses were 0) only a loss of 0 has utility 1,
 * every other has 0.
 */
export function utilityOf(loss: number, scale: number): number {
  if (loss <= 0) return 1;
  return scale > 0 ? 1 - Math.min(loss / scale, 1) : 0;
}

/** True for what may be a loss: a finite number of 0 or more. */
export function isLoss(loss: number): boolean {
  return Number.isFinite(loss) && loss >= 0;
}

/** True for what may be a utility: a number from 0 to 1. */
export function isUtility(utility: number): boolean {
  return utility >= 0 && utility <= 1;
}
