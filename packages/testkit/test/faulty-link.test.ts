/** The decisions of a faulty network: reproducible, as often as asked for, and independent of each other. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeliveryQueue, FaultyLink, type Fate, type LinkFaults } from '@quic-swarm/testkit';

const DATAGRAMS = 20_000;

/** The fates of datagrams of 1200 bytes that enter every tenth of a millisecond. */
function fatesOf(seed: number, faults: Partial<LinkFaults>, count = DATAGRAMS): Fate[] {
  const link = new FaultyLink(seed, faults);
  return Array.from({ length: count }, (_, number) => link.decide(1200, number / 10));
}

function lostOf(fates: readonly Fate[]): number[] {
  return fates.filter(({ deliveries }) => deliveries.length === 0).map(({ number }) => number);
}

/** Five standard deviations of a binomial count: a fair generator is outside once in two million. */
function isNear(count: number, rate: number): boolean {
  return Math.abs(count - rate * DATAGRAMS) <= 5 * Math.sqrt(DATAGRAMS * rate * (1 - rate));
}

const EVERYTHING = {
  lossRate: 0.1,
  duplicateRate: 0.2,
  flipRate: 0.3,
  reorderRate: 0.4,
  delayMs: 7,
  jitterMs: 3,
  bitsPerSecond: 1e9,
};

describe('the fates of one seed', () => {
  it('are the same in every run, and others for another seed', () => {
    expect(fatesOf(5, EVERYTHING)).toEqual(fatesOf(5, EVERYTHING));
    expect(lostOf(fatesOf(5, EVERYTHING))).not.toEqual(lostOf(fatesOf(6, EVERYTHING)));
  });

  it('hit the same datagrams whatever else is switched on', () => {
    expect(lostOf(fatesOf(5, EVERYTHING))).toEqual(lostOf(fatesOf(5, { lossRate: 0.1 })));
  });
});

describe('each fault', () => {
  it.each([0.01, 0.05, 0.2, 0.5])('happens as often as asked for: %d', (rate) => {
    const faults = { lossRate: rate, duplicateRate: rate, flipRate: rate, reorderRate: rate };
    const link = new FaultyLink(9, faults);
    for (let number = 0; number < DATAGRAMS; number += 1) link.decide(1200, number);
    const { lost, duplicated, flipped, heldBack } = link.statistics;
    expect(isNear(lost, rate)).toBe(true);
    // The others happen only to datagrams that were not lost.
    for (const count of [duplicated, flipped, heldBack]) {
      expect(isNear(count, rate * (1 - rate))).toBe(true);
    }
  });

  it('is off by default: everything arrives at once, unchanged', () => {
    for (const { number, deliveries } of fatesOf(3, {}, 1000)) {
      expect(deliveries).toEqual([{ atMs: number / 10, flippedBit: undefined }]);
    }
  });

  it('stays in its bounds: delay, jitter, and a bit of the datagram', () => {
    for (const { number, deliveries } of fatesOf(4, { delayMs: 10, jitterMs: 4, flipRate: 1 })) {
      const [{ atMs, flippedBit = -1 } = { atMs: 0 }] = deliveries;
      expect(atMs).toBeGreaterThanOrEqual(number / 10 + 10);
      expect(atMs).toBeLessThan(number / 10 + 14);
      expect(flippedBit >= 0 && flippedBit < 1200 * 8).toBe(true);
    }
  });

  it('is refused with a value that makes no sense', () => {
    const impossible: Partial<LinkFaults>[] = [
      { lossRate: 1.1 },
      { flipRate: Number.NaN },
      { delayMs: -1 },
      { jitterMs: Infinity },
      { bitsPerSecond: 0 },
      { queueBytesMax: -1 },
    ];
    for (const faults of impossible) {
      expect(() => new FaultyLink(1, faults)).toThrow(
        expect.objectContaining({ type: 'BAD_OPTION' }),
      );
    }
  });
});

describe('the order of arrival', () => {
  const arrivals = (faults: Partial<LinkFaults>): number[] =>
    fatesOf(8, faults)
      .flatMap(({ number, deliveries }) => deliveries.map(({ atMs }) => ({ number, atMs })))
      .sort((a, b) => a.atMs - b.atMs || a.number - b.number)
      .map(({ number }) => number);
  const inOrder = Array.from({ length: DATAGRAMS }, (_, number) => number);

  it('survives delay, jitter and a slow line', () => {
    const faults = { delayMs: 10, jitterMs: 30, bitsPerSecond: 5e7, queueBytesMax: Infinity };
    expect(arrivals(faults)).toEqual(inOrder);
  });

  it('is broken by reordering, which loses nothing', () => {
    const changed = arrivals({ reorderRate: 0.25 });
    expect(changed).not.toEqual(inOrder);
    expect([...changed].sort((a, b) => a - b)).toEqual(inOrder);
  });
});

describe('a slow line', () => {
  it('carries its bits per second and loses what its queue has no room for', () => {
    // A datagram of 125 bytes takes 1 ms; the queue has room for ten in front of the next.
    const link = new FaultyLink(1, { bitsPerSecond: 1_000_000, queueBytesMax: 1250 });
    const fates = Array.from({ length: 20 }, () => link.decide(125, 100));
    const times = fates.flatMap(({ deliveries }) => deliveries.map(({ atMs }) => atMs));
    expect(times).toEqual(Array.from({ length: 11 }, (_, index) => 101 + index));
    expect(link.statistics).toMatchObject({ datagrams: 20, bytes: 2500, overflowed: 9 });
    expect(link.decide(125, 200).deliveries[0]?.atMs).toBe(201);
  });
});

describe('a link that is down', () => {
  it('loses everything until it is up again', () => {
    const link = new FaultyLink(1);
    link.change({ isDown: true });
    expect(link.decide(100, 1).deliveries).toEqual([]);
    link.change({ isDown: false });
    expect(link.decide(100, 2).deliveries.length).toBe(1);
    expect(link.statistics).toMatchObject({ blackholed: 1, lost: 0 });
  });
});

describe('the queue of deliveries', () => {
  it('gives back what is due, by time and then by arrival, as a stable sort does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.integer(), (times, nowMs) => {
        const queue = new DeliveryQueue<number>();
        for (const [index, atMs] of times.entries()) queue.push(index, atMs);
        const taken: number[] = [];
        for (let item = queue.take(nowMs); item !== undefined; item = queue.take(nowMs)) {
          taken.push(item);
        }
        const sorted = times
          .map((atMs, index) => ({ atMs, index }))
          .sort((a, b) => a.atMs - b.atMs)
          .filter(({ atMs }) => atMs <= nowMs);
        expect(taken).toEqual(sorted.map(({ index }) => index));
        expect(queue.size).toBe(times.length - taken.length);
        const later = times.filter((atMs) => atMs > nowMs);
        expect(queue.nextAtMs).toBe(Math.min(Infinity, ...later));
      }),
    );
  });
});
