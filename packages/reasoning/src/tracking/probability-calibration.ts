/**
 * Do things that are forecast with 70 % happen in 70 % of the cases? Over forecasts p in [0, 1] of events o (1 when it
 * happened, else 0), in ten bins of p with n_k forecasts of mean p̄_k, of which a share ō_k happened:
 *
 *     Brier score   = (1/n) Σ (p − o)²                         0 is perfect, 0.25 is always saying 50 %
 *     reliability   = (1/n) Σ n_k (p̄_k − ō_k)²                 0 is perfect: it says what it means
 *     resolution    = (1/n) Σ n_k (ō_k − ō)²                   higher is better: it tells cases apart
 *     uncertainty   = ō (1 − ō)                                of the events, whatever the forecasts
 *     within bins   = Brier − (reliability − resolution + uncertainty)
 *     calibration error = (1/n) Σ n_k |p̄_k − ō_k|              ("expected calibration error", ECE)
 *
 * The rest within bins is 0 when all forecasts of a bin are equal, as Murphy assumed, and small otherwise. All sums
 * add up: two calibrations merge without loss.
 *
 * Sources: Brier, Monthly Weather Review 78 (1950); Murphy, "A new vector partition of the probability score", J. Appl.
 * Meteorology 12 (1973); Stephenson, Coelho, Jolliffe, "Two extra components in the Brier score decomposition", Weather
 * and Forecasting 23 (2008); Naeini, Cooper, Hauskrecht, AAAI (2015) for the ECE.
 */

/** Bins of equal width; a forecast of 1 is in the last. */
const BINS = 10;

/** One bin of forecasts: counts and sums only. */
export interface CalibrationBin {
  readonly count: number;
  readonly forecastSum: number;
  /** How many of the events happened. */
  readonly happened: number;
}

/** A {@link ProbabilityCalibration} as plain data. */
export interface ProbabilityCalibrationSnapshot {
  readonly bins: readonly CalibrationBin[];
  /** Σ (p − o)². */
  readonly squaredErrorSum: number;
}

/** How good forecasts of probabilities were: see the head of this file. */
export interface CalibrationReport {
  readonly count: number;
  readonly brierScore: number;
  readonly reliability: number;
  readonly resolution: number;
  readonly uncertainty: number;
  readonly withinBins: number;
  readonly calibrationError: number;
}

/** Forecasts of probabilities beside what happened. */
export class ProbabilityCalibration {
  readonly #bins = Array.from({ length: BINS }, () => ({ count: 0, forecastSum: 0, happened: 0 }));
  #squaredErrorSum = 0;

  static restore(snapshot: ProbabilityCalibrationSnapshot): ProbabilityCalibration {
    const restored = new ProbabilityCalibration();
    restored.#addSums(snapshot.bins, snapshot.squaredErrorSum);
    return restored;
  }

  /** @throws RangeError when the probability is not in [0, 1] */
  add(probability: number, hasHappened: boolean): void {
    if (!(probability >= 0 && probability <= 1)) {
      throw new RangeError(`A probability must lie in [0, 1], not be ${probability}.`);
    }
    const bin = this.#bins[Math.min(BINS - 1, Math.floor(BINS * probability))];
    if (bin === undefined) return;
    const outcome = hasHappened ? 1 : 0;
    bin.count += 1;
    bin.forecastSum += probability;
    bin.happened += outcome;
    this.#squaredErrorSum += (probability - outcome) ** 2;
  }

  /** Undefined before the first forecast. */
  report(): CalibrationReport | undefined {
    let count = 0;
    let happened = 0;
    for (const bin of this.#bins) {
      count += bin.count;
      happened += bin.happened;
    }
    if (count === 0) return undefined;
    const eventShare = happened / count;
    let reliability = 0;
    let resolution = 0;
    let calibrationError = 0;
    for (const bin of this.#bins) {
      if (bin.count === 0) continue;
      const weight = bin.count / count;
      const forecast = bin.forecastSum / bin.count;
      const observed = bin.happened / bin.count;
      reliability += weight * (forecast - observed) ** 2;
      resolution += weight * (observed - eventShare) ** 2;
      calibrationError += weight * Math.abs(forecast - observed);
    }
    const uncertainty = eventShare * (1 - eventShare);
    const brierScore = this.#squaredErrorSum / count;
    const withinBins = brierScore - (reliability - resolution + uncertainty);
    return {
      count,
      brierScore,
      reliability,
      resolution,
      uncertainty,
      withinBins,
      calibrationError,
    };
  }

  /** Takes in all forecasts of another calibration. */
  merge(other: ProbabilityCalibration): void {
    this.#addSums(other.#bins, other.#squaredErrorSum);
  }

  snapshot(): ProbabilityCalibrationSnapshot {
    return {
      bins: this.#bins.map((bin) => ({ ...bin })),
      squaredErrorSum: this.#squaredErrorSum,
    };
  }

  #addSums(bins: readonly CalibrationBin[], squaredErrorSum: number): void {
    for (const [index, bin] of this.#bins.entries()) {
      bin.count += bins[index]?.count ?? 0;
      bin.forecastSum += bins[index]?.forecastSum ?? 0;
      bin.happened += bins[index]?.happened ?? 0;
    }
    this.#squaredErrorSum += squaredErrorSum;
  }
}
