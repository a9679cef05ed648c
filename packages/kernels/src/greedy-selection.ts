/**
 * Keeps the windows that can still belong to the top k under an exclusion zone, while a scan offers
 * them in ascending order of their start.
 *
 * The answer is defined greedily: accept the smallest window by (distance, start), drop all whose
 * start is nearer than `zone` to it, repeat k times. A heap of k with eviction does not compute
 * this: a window refused because of a neighbour must come back when that neighbour itself falls to
 * a better one. Two facts make a single pass exact.
 *
 * 1. *Append.* Adding a window to the right of all others (or to the left) never lowers the number of
 *    windows that the greedy choice accepts: it can push out one neighbour, whose own left neighbour
 *    may then come in, which may push out the next, and so on alternately; every loss has a gain
 *    before it. So when the windows scanned so far have a greedy top k, its last member T bounds
 *    the final one: no window above T matters.
 * 2. *Certainty.* A window that is the smallest within its zone, all of which has been seen, is
 *    accepted whatever the rest of the series holds; its neighbours are dropped for good.
 *
 * T is a pair (distance, start), which settles ties: a later window with the same distance is above
 * T. What remains is at most k(2·zone − 1) windows, however long the series. Windows in the middle
 * of what is still unknown (seeds) prove less: a better one between two of them drops both, so that
 * 2k − 1 of them, pairwise at least `zone` apart, are needed to bound the k-th.
 *
 * Several scans of one search may share a bound (see shared-bound.ts). That is sound because every
 * distance that a scan proves bounds the whole search and not only its own range:
 *
 * - The T of a range is the k-th of the greedy choice among its windows. All other windows of the
 *   series can be appended to a range one by one, to its right and to its left, so by fact 1 the
 *   windows up to T of the whole series give at least k acceptances: the final k-th is at most T.
 *   Seeds are windows that exist, wherever the range ends. So the least of all proved distances is
 *   never below the final k-th distance.
 * - What a scan may drop is therefore the same as before with a smaller T: windows above it, which
 *   the greedy choice of the whole never reaches, since it looks at windows in ascending order and
 *   stops at the k-th. Candidates near a border that lie at or below it are still all kept,
 *   undecided or not. A certain window stays certain: those that were refused in its zone lie above
 *   a bound that it does not lie above itself, hence above it.
 * - Only the distance is shared, not the start, so a window exactly at another scan's bound is kept:
 *   it may win the tie.
 */

/** Windows that are kept before the first sorting that can only save memory. */
const UNSORTED_MIN = 1024;

/** A window with its exact distance. */
export interface Candidate {
  readonly start: number;
  readonly distance: number;
}

/** A candidate, and whether it is accepted whatever the rest of the series holds. */
interface Entry extends Candidate {
  isCertain: boolean;
}

/** What the selection must know about the scan. */
export interface SelectionOptions {
  readonly topK: number;
  readonly exclusionZone: number;
  /** Candidates above this distance are refused. */
  readonly maximumDistance: number;
  /** First position of the scan. */
  readonly rangeStart: number;
  /** True when positions before `rangeStart` exist that another scan covers. */
  readonly openLeft: boolean;
}

/** The candidates of a running scan and the bound T above which nothing matters. */
export class GreedySelection {
  readonly #options: SelectionOptions;
  #entries: Entry[] = [];
  #fresh = 0;
  /** How many of the entries the greedy choice accepted when they were sorted last. */
  #accepted = 0;
  #boundDistance: number;
  #boundStart = Infinity;

  constructor(options: SelectionOptions) {
    this.#options = options;
    this.#boundDistance = options.maximumDistance;
  }

  /** How many seeds, pairwise a zone apart, prove a bound. */
  get seedsNeeded(): number {
    const { topK, exclusionZone } = this.#options;
    // Under a zone of 0 or 1 two different starts never conflict.
    return exclusionZone > 1 ? 2 * topK - 1 : topK;
  }

  /** The exclusion zone, in points. */
  get zone(): number {
    return this.#options.exclusionZone;
  }

  /** Distances above this one cannot matter any more. */
  get boundDistance(): number {
    return this.#boundDistance;
  }

  /** True when a window still to come matters even at exactly the bound's distance. */
  get acceptsTies(): boolean {
    return this.#boundStart === Infinity;
  }

  /** Tightens the bound: `seedsNeeded` windows at most this far are known, or another scan of the search proved it. */
  tightenBound(distance: number): void {
    if (distance >= this.#boundDistance) return;
    this.#boundDistance = distance;
    // Which start has this distance is not known, so that all windows at exactly this distance matter.
    this.#boundStart = Infinity;
  }

  /** Takes the exact distance of the window at `start`, which is larger than all starts before. */
  offer(start: number, distance: number): void {
    if (distance > this.#boundDistance) return;
    if (distance === this.#boundDistance && !this.acceptsTies) return;
    this.#entries.push({ start, distance, isCertain: false });
    this.#fresh += 1;
    if (this.#shouldCompact()) this.#compact(start + 1, true);
  }

  /**
   * Ends the scan at `rangeEnd` and returns what remains by (distance, start): with closed borders
   * exactly the greedy top k, with open ones also the candidates that another scan may decide.
   */
  finish(rangeEnd: number, openRight: boolean): readonly Candidate[] {
    this.#compact(rangeEnd, openRight);
    return this.#entries.map(({ start, distance }) => ({ start, distance }));
  }

  /**
   * Sorting anew after a fixed share of growth keeps the total cost near-linear. A small share pays while it may tighten the
   * bound, which prunes what comes. By fact 1 a window adds one acceptance at most, so that before there are enough of them
   * sorting only saves memory, and is put off until there is twice as much: a search for all would otherwise sort its
   * thousands of matches again and again.
   */
  #shouldCompact(): boolean {
    const { length } = this.#entries;
    if (this.#accepted + this.#fresh >= this.#options.topK) return this.#fresh > length >> 4;
    return this.#fresh >= UNSORTED_MIN && this.#fresh > length >> 1;
  }

  #compact(scannedEnd: number, openRight: boolean): void {
    const { topK, exclusionZone: zone, rangeStart, openLeft } = this.#options;
    const certain = new ZoneMarks(zone);
    const undecided = new ZoneMarks(zone);
    const accepted = new ZoneMarks(zone);
    const kept: Entry[] = [];
    let acceptances = 0;
    this.#entries.sort(byDistanceThenStart);
    for (const entry of this.#entries) {
      // It was offered under a bound that has been tightened since.
      if (entry.distance > this.#boundDistance) break;
      if (entry.isCertain) {
        // Its neighbours have been dropped and nothing that comes touches it, so that it needs no mark any more.
        kept.push(entry);
        acceptances += 1;
      } else {
        if (certain.touches(entry.start)) continue;
        kept.push(entry);
        if (!accepted.touches(entry.start)) {
          accepted.add(entry.start);
          acceptances += 1;
        }
        if (
          (openLeft && entry.start - rangeStart + 1 < zone) ||
          (openRight && scannedEnd - entry.start < zone) ||
          undecided.touches(entry.start)
        ) {
          undecided.add(entry.start);
        } else {
          certain.add(entry.start);
          entry.isCertain = true;
        }
      }
      if (acceptances === topK) {
        this.#boundDistance = entry.distance;
        this.#boundStart = entry.start;
        break;
      }
    }
    this.#entries = kept;
    this.#accepted = acceptances;
    this.#fresh = 0;
  }
}

/** The order of the answer: by distance, ties by the smaller start. */
export function byDistanceThenStart(a: Candidate, b: Candidate): number {
  return a.distance - b.distance || a.start - b.start;
}

/** Answers in O(1) whether a start lies nearer than `zone` to any marked start. */
export class ZoneMarks {
  readonly #zone: number;
  /** Lowest and highest mark per bucket of `zone` positions; two marks in one bucket always touch. */
  readonly #low = new Map<number, number>();
  readonly #high = new Map<number, number>();
  size = 0;

  constructor(zone: number) {
    this.#zone = zone;
  }

  add(start: number): void {
    this.size += 1;
    if (this.#zone <= 1) return;
    const bucket = Math.floor(start / this.#zone);
    const low = this.#low.get(bucket);
    const high = this.#high.get(bucket);
    if (low === undefined || start < low) this.#low.set(bucket, start);
    if (high === undefined || start > high) this.#high.set(bucket, start);
  }

  touches(start: number): boolean {
    if (this.#zone <= 1 || this.size === 0) return false;
    const bucket = Math.floor(start / this.#zone);
    if (this.#low.has(bucket)) return true;
    const below = this.#high.get(bucket - 1);
    if (below !== undefined && start - below < this.#zone) return true;
    const above = this.#low.get(bucket + 1);
    return above !== undefined && above - start < this.#zone;
  }
}
