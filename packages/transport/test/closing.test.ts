/** How a connection is closed: what is flushed, for how long, and when nothing more is written. */
import { expect, it } from 'vitest';
import { endedLocally } from '../src/endings.ts';
import { Closing } from '../src/quic/connection/closing.ts';

const ENDING = endedLocally({ wireCode: 7, message: 'enough' });
const UNTIL_MS = 1000;

const situation = (
  nowMs: number,
  hasWrites: boolean,
  isAcknowledged: boolean,
  lastReceivedMs = 0,
): Parameters<Closing['next']>[0] => ({ nowMs, hasWrites, isAcknowledged, lastReceivedMs });

it('closes at once when everything was written and acknowledged', () => {
  expect(new Closing(ENDING, UNTIL_MS).next(situation(0, false, true))).toBe('close');
});

it('waits for what is written and for its acknowledgement, until its time is over', () => {
  const closing = new Closing(ENDING, UNTIL_MS);
  expect(closing.next(situation(0, true, true))).toBe('wait');
  expect(closing.next(situation(999, false, false))).toBe('wait');
  expect(closing.next(situation(1000, false, false))).toBe('close');
});

it('writes no more when its time is over, and closes with the next word of the peer', () => {
  const closing = new Closing(ENDING, UNTIL_MS);
  expect(closing.next(situation(1000, true, false, 990))).toBe('cut');
  expect(closing.isCut).toBe(true);
  expect(closing.next(situation(1001, true, false, 990))).toBe('wait');
  expect(closing.next(situation(1002, true, false, 1002))).toBe('close');
});

it('closes without that word when none comes', () => {
  const closing = new Closing(ENDING, UNTIL_MS);
  expect(closing.next(situation(1000, true, false))).toBe('cut');
  expect(closing.untilMs).toBe(1500);
  expect(closing.next(situation(1499, true, false))).toBe('wait');
  expect(closing.next(situation(1500, true, false))).toBe('close');
});

it('is hurried, but never slowed down', () => {
  const closing = new Closing(ENDING, UNTIL_MS);
  closing.hurry(5000);
  expect(closing.untilMs).toBe(UNTIL_MS);
  closing.hurry(0);
  expect(closing.next(situation(1, false, false))).toBe('close');
});
