/**
 * Notices that the world has changed: the learner's forecasts of utility used to be right on average and are not any
 * more. Watched is the residual r = utility − forecast utility. Its cumulative sum wanders around its mean while all is
 * well, and marches off once the mean has moved:
 *
 *     worse_t = max(0, worse_{t−1} − (r_t − mean_t) − δ),   better_t = max(0, better_{t−1} + (r_t − mean_t) − δ)
 *
 * An alarm is raised when one of them exceeds the threshold λ, and all begins anew. max(0, …) is the distance of the
 * cumulative sum from its minimum, Page's form of the test; subtracting the mean so far is Hinkley's. The mean is
 * taken as if {@link PRIOR_RESIDUALS} residuals of 0 had come first: a forecast is right on average until it has shown
 * the contrary, and a change soon after the beginning does not pull the mean along with it.
 *
 * The defaults δ = 0.05, λ = 15: a drop of s is noticed after about λ / (s − δ) tasks, 100 for 0.2 and 300 for 0.1, one
 * of δ or less never, and one of 0.1 within the first few hundred tasks never either, because the mean follows it.
 * Between false alarms lie about exp(2λδ/σ²) · σ²/2δ² tasks, above 10 million for a deviation σ of 0.3 and about 10,000
 * for 0.5, the largest that a utility can have (Siegmund's approximation).
 *
 * Sources: Page, "Continuous inspection schemes", Biometrika 41 (1954); Hinkley, "Inference about the change-point
 * from cumulative sum tests", Biometrika 58 (1971); Siegmund, "Sequential Analysis" (1985), II.6.
 */

/** Residuals of 0 that the mean begins with. */
const PRIOR_RESIDUALS = 200;

/** When to raise an alarm. All in units of utility. */
export interface PageHinkleyOptions {
  /** Changes of the mean up to this much are no change. @default 0.05 */
  readonly delta?: number;
  /** How far the cumulative sum must go. @default 15 */
  readonly threshold?: number;
  /** Residuals since the last alarm before another is possible. @default 30 */
  readonly samplesMin?: number;
}

/** In which direction the utilities have left the forecasts. */
export type ChangeDirection = 'worse' | 'better';

/** A {@link PageHinkley} as plain data. */
export interface PageHinkleySnapshot {
  readonly options: Required<PageHinkleyOptions>;
  readonly count: number;
  readonly sum: number;
  readonly worse: number;
  readonly better: number;
}

/** A change detector over one stream of residuals. Constant memory. */
export class PageHinkley {
  readonly #options: Required<PageHinkleyOptions>;
  #count = 0;
  #sum = 0;
  #worse = 0;
  #better = 0;

  /** @throws RangeError when delta is below 0, or the threshold or samplesMin is not above 0 */
  constructor({ delta = 0.05, threshold = 15, samplesMin = 30 }: PageHinkleyOptions = {}) {
    if (!(delta >= 0 && threshold > 0 && samplesMin > 0)) {
      throw new RangeError(
        `A change detector needs delta ≥ 0, threshold > 0 and samplesMin > 0, not ${delta}, ${threshold}, ${samplesMin}.`,
      );
    }
    this.#options = { delta, threshold, samplesMin };
  }

  static restore(snapshot: PageHinkleySnapshot): PageHinkley {
    const restored = new PageHinkley(snapshot.options);
    restored.#count = snapshot.count;
    restored.#sum = snapshot.sum;
    restored.#worse = snapshot.worse;
    restored.#better = snapshot.better;
    return restored;
  }

  /** Residuals since the beginning or the last alarm. */
  get count(): number {
    return this.#count;
  }

  /**
   * Takes utility − forecast utility into account; what is beyond ±1 counts as ±1, for a single forecast gone wild is
   * not a change of the world. After an alarm the detector begins anew by itself.
   *
   * @throws RangeError when the residual is not a finite number
   */
  add(residual: number): ChangeDirection | undefined {
    if (!Number.isFinite(residual)) {
      throw new RangeError(`A residual must be a finite number, not ${residual}.`);
    }
    const clipped = Math.min(1, Math.max(-1, residual));
    const { delta, threshold, samplesMin } = this.#options;
    // The mean of the residuals before this one: a residual is not compared with itself.
    const surprise = clipped - this.#sum / (this.#count + PRIOR_RESIDUALS);
    this.#count += 1;
    this.#sum += clipped;
    this.#worse = Math.max(0, this.#worse - surprise - delta);
    this.#better = Math.max(0, this.#better + surprise - delta);
    if (this.#count < samplesMin) return undefined;
    const direction = this.#direction(threshold);
    if (direction !== undefined) this.reset();
    return direction;
  }

  /** Begins anew: what came so far is no part of what comes. */
  reset(): void {
    this.#count = 0;
    this.#sum = 0;
    this.#worse = 0;
    this.#better = 0;
  }

  snapshot(): PageHinkleySnapshot {
    return {
      options: this.#options,
      count: this.#count,
      sum: this.#sum,
      worse: this.#worse,
      better: this.#better,
    };
  }

  #direction(threshold: number): ChangeDirection | undefined {
    if (this.#worse > threshold) return 'worse';
    return this.#better > threshold ? 'better' : undefined;
  }
}
