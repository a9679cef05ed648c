/** What a network may do to the datagrams of one direction, as plain figures. */
import { SwarmError } from '@quic-swarm/protocol';

/** The faults of one direction. Rates are probabilities per datagram from 0 to 1. */
export interface LinkFaults {
  /** Datagrams that are lost. @default 0 */
  readonly lossRate: number;
  /** Datagrams that arrive twice, the second right after the first. @default 0 */
  readonly duplicateRate: number;
  /** Datagrams in which one bit, any one, is changed. @default 0 */
  readonly flipRate: number;
  /** Datagrams that are held back for `reorderMs`, so that later ones overtake them. @default 0 */
  readonly reorderRate: number;
  /** How long a datagram is held back for others to overtake it. @default 5 */
  readonly reorderMs: number;
  /** Every datagram takes so long. @default 0 */
  readonly delayMs: number;
  /** Each takes up to so much longer, evenly spread; this alone never changes the order. @default 0 */
  readonly jitterMs: number;
  /** What the line carries; datagrams wait in a queue for their turn. Infinity is no limit. @default Infinity */
  readonly bitsPerSecond: number;
  /** Datagrams that find so many bytes in front of them are lost. @default 262144 */
  readonly queueBytesMax: number;
  /** A black hole: every datagram is lost, and nobody is told. @default false */
  readonly isDown: boolean;
}

/** A network without faults. */
export const NO_FAULTS: LinkFaults = {
  lossRate: 0,
  duplicateRate: 0,
  flipRate: 0,
  reorderRate: 0,
  reorderMs: 5,
  delayMs: 0,
  jitterMs: 0,
  bitsPerSecond: Infinity,
  queueBytesMax: 256 * 1024,
  isDown: false,
};

const RATES = ['lossRate', 'duplicateRate', 'flipRate', 'reorderRate'] as const;
const TIMES = ['reorderMs', 'delayMs', 'jitterMs'] as const;

/**
 * Faults with some of them changed.
 * @throws BAD_OPTION when a rate is no probability, a time is negative or infinite, or the line carries nothing.
 */
export function changedFaults(faults: LinkFaults, change: Partial<LinkFaults>): LinkFaults {
  const changed = { ...faults, ...change };
  for (const name of RATES) {
    if (!(changed[name] >= 0 && changed[name] <= 1)) refuse(name, changed[name], 'from 0 to 1');
  }
  for (const name of TIMES) {
    if (!(changed[name] >= 0 && changed[name] < Infinity)) refuse(name, changed[name], '≥ 0');
  }
  if (!(changed.bitsPerSecond > 0)) refuse('bitsPerSecond', changed.bitsPerSecond, '> 0');
  if (!(changed.queueBytesMax >= 0)) refuse('queueBytesMax', changed.queueBytesMax, '≥ 0');
  return changed;
}

function refuse(name: string, value: number, range: string): never {
  throw new SwarmError('BAD_OPTION', `${name} is a number ${range}, not ${value}.`);
}
