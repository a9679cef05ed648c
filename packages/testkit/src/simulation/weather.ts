/** What the network does to messages on one path, and how long they take because of it. */
import type { RandomStream } from './random-stream.ts';

/** The weather on a path. Rates are probabilities per message. */
export interface Weather {
  /** Every message takes so long. */
  readonly delayMs: number;
  /** And up to so much longer. */
  readonly jitterMs: number;
  /** Its datagram is lost: QUIC sends it again after a probe timeout that doubles with each loss. */
  readonly lossRate: number;
  /** It is held back for so long, so that what travels on other streams overtakes it. */
  readonly reorderRate: number;
  readonly reorderMs: number;
  /** A message with a payload travels on a stream of its own, as if the payload were long. */
  readonly ownStreamRate: number;
}

/** One millisecond each way, and nothing else. */
export const CALM: Weather = {
  delayMs: 1,
  jitterMs: 0,
  lossRate: 0,
  reorderRate: 0,
  reorderMs: 0,
  ownStreamRate: 0,
};

/** QUIC's first probe timeout is about two round trips and the delay of acknowledgements. */
const ACKNOWLEDGEMENT_DELAY_MS = 25;

/** So often a datagram is lost in a row at most; the idle timeout ends what goes on for longer. */
const LOSSES_MAX = 5;

/** How long a message takes to the other side. */
export function transitMs(weather: Weather, random: RandomStream): number {
  const { delayMs, jitterMs, lossRate, reorderRate, reorderMs } = weather;
  let tookMs = delayMs + random.next() * jitterMs;
  if (random.chance(reorderRate)) tookMs += reorderMs;
  for (let losses = 0; losses < LOSSES_MAX && random.chance(lossRate); losses += 1) {
    tookMs += probeTimeoutMs(weather) * 2 ** losses;
  }
  return tookMs;
}

/** After so long without an acknowledgement a sender tries again. */
export function probeTimeoutMs({ delayMs, jitterMs }: Weather): number {
  return 4 * (delayMs + jitterMs) + ACKNOWLEDGEMENT_DELAY_MS;
}
