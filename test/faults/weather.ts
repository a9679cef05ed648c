/** Kinds of network under which transfers are tried. */
import type { LinkFaults, LinkStatistics } from '@quic-swarm/testkit';

/** See the head of this file. */
export interface Weather {
  readonly name: string;
  readonly faults: Partial<LinkFaults>;
  /** What a transfer sends on each stream and direction to meet the faults, in bytes. */
  readonly bytes: number;
  /** How often the fault of this weather happened. */
  readonly happened: (statistics: LinkStatistics) => number;
}

export const WEATHER: readonly Weather[] = [
  {
    name: '1 % loss',
    faults: { lossRate: 0.01 },
    bytes: 200_000,
    happened: ({ lost }) => lost,
  },
  {
    name: '5 % loss',
    faults: { lossRate: 0.05 },
    bytes: 70_000,
    happened: ({ lost }) => lost,
  },
  {
    name: '20 % loss',
    faults: { lossRate: 0.2 },
    bytes: 10_000,
    happened: ({ lost }) => lost,
  },
  {
    name: 'reordering',
    faults: { reorderRate: 0.25, reorderMs: 3 },
    bytes: 100_000,
    happened: ({ heldBack }) => heldBack,
  },
  {
    name: 'duplicates',
    faults: { duplicateRate: 0.5 },
    bytes: 100_000,
    happened: ({ duplicated }) => duplicated,
  },
  {
    name: 'changed bits',
    faults: { flipRate: 0.05 },
    bytes: 100_000,
    happened: ({ flipped }) => flipped,
  },
  {
    name: 'delay and jitter',
    faults: { delayMs: 5, jitterMs: 10 },
    bytes: 100_000,
    happened: ({ datagrams }) => datagrams,
  },
  {
    name: 'a slow line with a short queue',
    faults: { bitsPerSecond: 30_000_000, queueBytesMax: 32 * 1024 },
    bytes: 50_000,
    happened: ({ overflowed }) => overflowed,
  },
  {
    name: 'all of it together',
    faults: {
      lossRate: 0.03,
      reorderRate: 0.1,
      duplicateRate: 0.1,
      flipRate: 0.02,
      delayMs: 2,
      jitterMs: 3,
    },
    bytes: 30_000,
    happened: ({ lost, heldBack, duplicated, flipped }) =>
      Math.min(lost, heldBack, duplicated, flipped),
  },
];
