/**
 * Decides what happens to each datagram of one direction, and when. Pure: the same seed, faults, sizes and times give the
 * same fates, whether a socket or a simulated network carries them out.
 *
 * Chance is drawn by the datagram's number, not in sequence: switching one fault on does not move the others.
 */
import { changedFaults, NO_FAULTS, type LinkFaults } from './link-faults.ts';

/** One arrival of a datagram at the other end. */
export interface Delivery {
  /** When, on the clock of {@link FaultyLink.decide}. */
  readonly atMs: number;
  /** The bit that arrives changed: byte `floor(flippedBit / 8)`, bit `flippedBit % 8`; undefined: none. */
  readonly flippedBit: number | undefined;
}

/** What happens to a datagram: one delivery, two, or none. */
export interface Fate {
  /** The datagram's number on this link, from 0. */
  readonly number: number;
  readonly deliveries: readonly Delivery[];
}

/** What a link did so far, in datagrams; a datagram may count in several rows. */
export interface LinkStatistics {
  /** All that entered the link, and their bytes. */
  readonly datagrams: number;
  readonly bytes: number;
  /** Lost by chance. */
  readonly lost: number;
  /** Lost because the link was down. */
  readonly blackholed: number;
  /** Lost because the queue of a limited line was full. */
  readonly overflowed: number;
  readonly duplicated: number;
  readonly flipped: number;
  readonly heldBack: number;
}

type Counts = { -readonly [Name in keyof LinkStatistics]: number };

const NOTHING_YET: LinkStatistics = {
  datagrams: 0,
  bytes: 0,
  lost: 0,
  blackholed: 0,
  overflowed: 0,
  duplicated: 0,
  flipped: 0,
  heldBack: 0,
};

/** What several links did together. */
export function sumOfStatistics(links: Iterable<LinkStatistics>): LinkStatistics {
  const sum: Counts = { ...NOTHING_YET };
  for (const link of links) {
    for (const name of Object.keys(sum) as (keyof Counts)[]) sum[name] += link[name];
  }
  return sum;
}

/** One direction of a faulty network. */
export class FaultyLink {
  readonly #seed: number;
  #faults: LinkFaults;
  #number = 0;
  /** When the line has carried all that was given to it. */
  #lineFreeAtMs = 0;
  /** The latest delivery that was not held back: jitter does not overtake it. */
  #lastAtMs = 0;
  readonly #counts: Counts = { ...NOTHING_YET };

  /** @throws BAD_OPTION when a fault has an impossible value. */
  constructor(seed: number, faults: Partial<LinkFaults> = {}) {
    this.#seed = seed;
    this.#faults = changedFaults(NO_FAULTS, faults);
  }

  get faults(): LinkFaults {
    return this.#faults;
  }

  get statistics(): LinkStatistics {
    return { ...this.#counts };
  }

  /** Changes some faults for the datagrams that come. @throws BAD_OPTION when one has an impossible value. */
  change(faults: Partial<LinkFaults>): void {
    this.#faults = changedFaults(this.#faults, faults);
  }

  /** The fate of the next datagram. `nowMs` must not go back from one call to the next. */
  decide(lengthBytes: number, nowMs: number): Fate {
    const number = this.#number;
    this.#number += 1;
    this.#counts.datagrams += 1;
    this.#counts.bytes += lengthBytes;
    return { number, deliveries: this.#deliveries(number, lengthBytes, nowMs) };
  }

  #deliveries(number: number, lengthBytes: number, nowMs: number): Delivery[] {
    const faults = this.#faults;
    const counts = this.#counts;
    if (faults.isDown) {
      counts.blackholed += 1;
      return [];
    }
    if (this.#draw(number, 'loss') < faults.lossRate) {
      counts.lost += 1;
      return [];
    }
    const sentAtMs = this.#throughLine(lengthBytes, nowMs);
    if (sentAtMs === undefined) {
      counts.overflowed += 1;
      return [];
    }
    const delayMs = faults.delayMs + this.#draw(number, 'jitter') * faults.jitterMs;
    let atMs = Math.max(sentAtMs + delayMs, this.#lastAtMs);
    if (this.#draw(number, 'reorder') < faults.reorderRate) {
      counts.heldBack += 1;
      atMs += faults.reorderMs;
    } else {
      this.#lastAtMs = atMs;
    }
    let flippedBit: number | undefined;
    if (lengthBytes > 0 && this.#draw(number, 'flip') < faults.flipRate) {
      counts.flipped += 1;
      flippedBit = Math.floor(this.#draw(number, 'bit') * lengthBytes * 8);
    }
    const delivery = { atMs, flippedBit };
    if (this.#draw(number, 'duplicate') >= faults.duplicateRate) return [delivery];
    counts.duplicated += 1;
    return [delivery, delivery];
  }

  /** When the line has carried the datagram; undefined: there is no room for it. */
  #throughLine(lengthBytes: number, nowMs: number): number | undefined {
    const { bitsPerSecond, queueBytesMax } = this.#faults;
    if (bitsPerSecond === Infinity) return nowMs;
    const bytesPerMs = bitsPerSecond / 8000;
    const startsAtMs = Math.max(nowMs, this.#lineFreeAtMs);
    if ((startsAtMs - nowMs) * bytesPerMs > queueBytesMax) return undefined;
    this.#lineFreeAtMs = startsAtMs + lengthBytes / bytesPerMs;
    return this.#lineFreeAtMs;
  }

  #draw(number: number, what: keyof typeof SALTS): number {
    return mixedSeed(mixedSeed(this.#seed, number), SALTS[what]) / 4_294_967_296;
  }
}

const SALTS = { loss: 1, jitter: 2, reorder: 3, flip: 4, bit: 5, duplicate: 6 } as const;

/** A number of 32 bits that looks random, made of two: the finalizer of MurmurHash3 over both. */
export function mixedSeed(seed: number, number: number): number {
  let mixed = Math.imul(seed ^ Math.imul(number + 1, 0x9e3779b1), 0x85ebca6b);
  mixed ^= mixed >>> 16;
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
