/**
 * Evidence that stays honest however often one looks. A usual test allows one look at the data; whoever looks after
 * every task and stops when it is pleasant finds a "winner" among equals in every third run. Betting cures this:
 * start with one coin and bet, before each difference D is known, a share λ of it on "the candidate is better". If
 * the candidate is *not* better, no system of bets is expected to win, and the chance that the purse *ever* reaches
 * 1/α coins is at most α (Ville's inequality). So a purse of 20 coins is evidence at α = 0.05, whenever it is reached.
 *
 * With D_t = utility(candidate) − utility(incumbent) in [−1, 1] and six gamblers who start with a sixth each:
 *
 *     W_n = mean over k of Π_{t ≤ n} (1 + λ_k · D_t),   λ = 0.02, 0.05, 0.1, 0.2, 0.4, 0.8
 *
 * The best share for a mean μ and a deviation σ is about μ / (σ² + μ²): 1.7 for 0.1 and 0.2. The boldest gambler, with
 * 0.8, finds such an effect in 68 pairs instead of 120; one with 1 would be ruined for ever by a single −1.
 *
 * The hypothesis that W refutes is E[D_t | earlier differences] ≤ 0 for all t. The reverse bets on −D_t.
 *
 * Sources: Ramdas, Grünwald, Vovk, Shafer, "Game-theoretic statistics and safe anytime-valid inference",
 * arXiv 2210.01948; Choe, Ramdas, "Comparing sequential forecasters", arXiv 2110.00115; Waudby-Smith, Ramdas,
 * "Estimating means of bounded random variables by betting", JRSS B 86 (2024); for the interval Howard, Ramdas,
 * McAuliffe, Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Ann. Statist. 49 (2021).
 */

/** The shares λ_k that are bet. */
export const BETS: readonly number[] = [0.02, 0.05, 0.1, 0.2, 0.4, 0.8];

/** Those that the confidence sequence can use: below 1/c = 1/2. */
const INTERVAL_BETS: readonly number[] = [0.02, 0.05, 0.1, 0.2, 0.4];

/** A difference of two numbers in [−1, 1] spans 2: the scale c of the sub-exponential bound. */
const DIFFERENCE_SPAN = 2;

/** ψ(λ) = (−ln(1 − cλ) − cλ) / c², the cumulant bound of a sub-exponential variable of scale c; about λ²/2. */
const CUMULANTS: readonly number[] = INTERVAL_BETS.map(
  (bet) => (-Math.log1p(-DIFFERENCE_SPAN * bet) - DIFFERENCE_SPAN * bet) / DIFFERENCE_SPAN ** 2,
);

/** Where the mean difference lies. */
export interface ConfidenceInterval {
  readonly lower: number;
  readonly upper: number;
}

/** An {@link Evidence} as plain data. */
export interface EvidenceSnapshot {
  readonly count: number;
  readonly sum: number;
  readonly squaredSurprise: number;
  /** ln of each gambler's purse, in the order of {@link BETS}. */
  readonly logGains: readonly number[];
  readonly logGainsAgainst: readonly number[];
}

/** Both e-processes and the confidence sequence over one stream of differences. Constant memory. */
export class Evidence {
  /** ln Π (1 + λ_k D_t): sums of logarithms, because the products leave the range of a double either way. */
  #logGains: number[] = BETS.map(() => 0);
  #logGainsAgainst: number[] = BETS.map(() => 0);
  #count = 0;
  #sum = 0;
  /** V_n = Σ (D_t − mean of the differences before t)². */
  #squaredSurprise = 0;

  /**
   * Evidence that goes on where the other was when it was written down.
   *
   * @throws RangeError when it was written down by gamblers with other bets
   */
  static restore(snapshot: EvidenceSnapshot): Evidence {
    const gamblers = [snapshot.logGains.length, snapshot.logGainsAgainst.length];
    if (gamblers.some((count) => count !== BETS.length)) {
      throw new RangeError(`Evidence of ${gamblers.join(' and ')} bets is not of ${BETS.length}.`);
    }
    const restored = new Evidence();
    restored.#logGains = [...snapshot.logGains];
    restored.#logGainsAgainst = [...snapshot.logGainsAgainst];
    restored.#count = snapshot.count;
    restored.#sum = snapshot.sum;
    restored.#squaredSurprise = snapshot.squaredSurprise;
    return restored;
  }

  /**
   * Takes the next difference into account, in the order in which the outcomes became known.
   *
   * @throws RangeError when it is not in [−1, 1]
   */
  add(difference: number): void {
    if (!(difference >= -1 && difference <= 1)) {
      throw new RangeError(`A difference of utilities must lie in [−1, 1], not ${difference}.`);
    }
    addLogGains(this.#logGains, difference);
    addLogGains(this.#logGainsAgainst, -difference);
    this.#squaredSurprise += (difference - this.mean) ** 2;
    this.#count += 1;
    this.#sum += difference;
  }

  /** How many differences there were. */
  get count(): number {
    return this.#count;
  }

  /** The mean difference; 0 before the first. */
  get mean(): number {
    return this.#count === 0 ? 0 : clip(this.#sum / this.#count);
  }

  /** ln W for "the candidate is better". Reject "it is not" when it is ≥ ln(1/α). */
  get logEvidence(): number {
    return logMeanOfExponentials(this.#logGains);
  }

  /** ln W for "the candidate is worse". */
  get logEvidenceAgainst(): number {
    return logMeanOfExponentials(this.#logGainsAgainst);
  }

  /**
   * An empirical-Bernstein confidence sequence: with probability 1 − α the interval holds the running mean of the
   * conditional means, (1/n) Σ E[D_t | earlier differences], at every n at once, even if those means drift.
   *
   * With γ_t the mean of the differences before t, V_n = Σ (D_t − γ_t)² and S_n = Σ (D_t − E[D_t | earlier]),
   * exp(λ S_n − ψ(λ) V_n) is a non-negative supermartingale for every λ in (0, 1/c), c = 2 (Howard et al. 2021,
   * Theorem 4 and its proof). Each side of each of the K = 5 bets gets α / 2K, which makes the half-width
   *
   *     min over k of (ln(2K/α) + ψ(λ_k) · V_n) / (λ_k · n)
   *
   * clipped to [−1, 1]. It is two-sided and does not assume that the sign is constant, hence a little more cautious
   * than the e-process: at the moment when W first reaches 1/α the interval may still touch 0.
   */
  interval(alpha: number): ConfidenceInterval {
    const logThreshold = Math.log((2 * INTERVAL_BETS.length) / alpha);
    let halfWidth = Number.POSITIVE_INFINITY;
    for (const [index, bet] of INTERVAL_BETS.entries()) {
      const bound = logThreshold + (CUMULANTS[index] ?? 0) * this.#squaredSurprise;
      // Without differences the bound is infinite, and the interval all of [−1, 1].
      halfWidth = Math.min(halfWidth, bound / (bet * this.#count));
    }
    return { lower: clip(this.mean - halfWidth), upper: clip(this.mean + halfWidth) };
  }

  snapshot(): EvidenceSnapshot {
    return {
      count: this.#count,
      sum: this.#sum,
      squaredSurprise: this.#squaredSurprise,
      logGains: [...this.#logGains],
      logGainsAgainst: [...this.#logGainsAgainst],
    };
  }
}

/** Each gambler's purse is multiplied by 1 + λ_k · difference. */
function addLogGains(logGains: number[], difference: number): void {
  for (let index = 0; index < BETS.length; index += 1) {
    logGains[index] = (logGains[index] ?? 0) + Math.log1p((BETS[index] ?? 0) * difference);
  }
}

/** ln of the mean of exp(x_k), by the largest x_k, so that no exponential overflows. */
function logMeanOfExponentials(exponents: readonly number[]): number {
  const largest = Math.max(...exponents);
  let sum = 0;
  for (const exponent of exponents) sum += Math.exp(exponent - largest);
  return largest + Math.log(sum / exponents.length);
}

function clip(value: number): number {
  return Math.min(1, Math.max(-1, value));
}
