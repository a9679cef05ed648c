/**
 * What the simulated handlers compute. A task's input names a piece of work by its number, and the result follows from
 * that number, so that whoever gets a result can say whether it is the right one.
 */

import type { Alternative, Arm, Prediction } from '@quic-swarm/protocol';

/** How one attempt ends by itself. */
export type Fate =
  | 'succeeds'
  /** With an error that is worth another attempt. */
  | 'fails'
  /** With one that is not. */
  | 'failsForGood'
  /** Its thread ends under it. */
  | 'crashesThread'
  /** Its whole process does. */
  | 'killsAgent';

/** One piece of work. */
export interface Work {
  readonly number: number;
  readonly computeMs: number;
  /** Parts of the result that are sent before its end. */
  readonly chunks: number;
  readonly progressReports: number;
  /** By attempt; the last one counts for all that follow. */
  readonly fates: readonly Fate[];
  /** How long after being told to stop the handler does; undefined: it never does by itself. */
  readonly stopsAfterMs: number | undefined;
}

/** All work of a run, by number. */
export type WorkBook = Map<number, Work>;

/** What attempt number `attempt` (from 1) ends with. */
export function fateOf({ fates }: Work, attempt: number): Fate {
  return fates[Math.min(attempt, fates.length) - 1] ?? 'succeeds';
}

/** The input that names a piece of work. */
export function inputOf(work: number): Uint8Array {
  return bytesOf(work, 0);
}

/** The only right result of a piece of work. */
export function resultOf(work: number): Uint8Array {
  return bytesOf(work, 1);
}

/** The only right part of its result with this sequence. */
export function chunkOf(work: number, sequence: number): Uint8Array {
  return bytesOf(work, 2 + sequence);
}

/** The number of the work that an input or result belongs to. */
export function workNumberOf(payload: Uint8Array | undefined): number {
  const [high = 0, low = 0] = payload ?? [];
  return high * 256 + low;
}

/** Have they the same content? */
export function areEqual(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one?.length === other.length && one.every((byte, i) => byte === other[i]);
}

/** The arms of all simulated handlers. The other values of `k` come free. */
export const ARMS: readonly Arm[] = [1, 2, 4].flatMap((window) => [
  { window, k: 1 },
  { window, k: 2 },
]);

/** What a handler forecasts with an arm, and with those that come free: the larger its window the better. */
export function findingsOf(
  { number }: Work,
  arm: Arm,
): { readonly predicted: Prediction; readonly alternatives: Alternative[] } {
  const forecast = ({ window, k }: Arm): Prediction => ({
    mean: outcomeOf(number) + 1 / Number(window) + Number(k) / 100,
  });
  const others = ARMS.filter(({ window, k }) => window === arm['window'] && k !== arm['k']);
  const alternatives = others.map((each) => ({ arm: each, predicted: forecast(each) }));
  return { predicted: forecast(arm), alternatives };
}

/** How a piece of work turns out. */
export function outcomeOf(work: number): number {
  return Math.sin(work);
}

function bytesOf(work: number, what: number): Uint8Array {
  return new Uint8Array([work >> 8, work & 255, what]);
}
