/** When an acknowledgement waits for company, and when it must not. */
import { describe, expect, it } from 'vitest';
import { AcknowledgementDelay } from '../src/quic/connection/acknowledgement-delay.ts';

const idle = (): boolean => true;
const busy = (): boolean => false;
const at = (nowMs: number) => (): number => nowMs;

describe('an acknowledgement', () => {
  it('of one datagram waits one turn, then two milliseconds', () => {
    const delay = new AcknowledgementDelay();
    expect(delay.advise(idle, at(0))).toBe('now');
    delay.noteReceived(200);
    expect(delay.advise(idle, at(0))).toBe('next turn');
    expect(delay.dueAtMs).toBe(Infinity);
    expect(delay.advise(idle, at(10))).toBe('later');
    expect(delay.dueAtMs).toBe(12);
    expect(delay.advise(idle, at(11))).toBe('later');
    expect(delay.advise(idle, at(12))).toBe('now');
    delay.noteTurn();
    expect(delay.dueAtMs).toBe(Infinity);
    expect(delay.advise(idle, at(13))).toBe('now');
  });

  it('of a second datagram waits one turn more, of a third not', () => {
    const delay = new AcknowledgementDelay();
    delay.noteReceived(200);
    expect(delay.advise(idle, at(0))).toBe('next turn');
    delay.noteReceived(200);
    expect(delay.advise(idle, at(0))).toBe('next turn');
    delay.noteReceived(200);
    expect(delay.advise(idle, at(0))).toBe('now');
  });

  it('is not owed for a datagram that holds no more than one', () => {
    const delay = new AcknowledgementDelay();
    delay.noteReceived(45);
    expect(delay.advise(idle, at(0))).toBe('now');
  });

  it('of many datagrams waits one turn', () => {
    const delay = new AcknowledgementDelay();
    for (let count = 0; count < 5; count += 1) delay.noteReceived(200);
    expect(delay.advise(idle, at(0))).toBe('next turn');
    expect(delay.advise(idle, at(0))).toBe('now');
  });

  it('does not wait while more than the smallest window is on its way', () => {
    const delay = new AcknowledgementDelay();
    const advise = (isIdle: () => boolean): string => {
      delay.noteTurn();
      delay.noteReceived(200);
      expect(delay.advise(isIdle, at(0))).toBe('next turn');
      return delay.advise(isIdle, at(0));
    };
    delay.noteSent(12_000);
    expect(advise(busy)).toBe('later');
    delay.noteSent(1);
    expect(advise(busy)).toBe('now');
    expect(advise(idle)).toBe('later');
    expect(advise(busy)).toBe('later');
  });
});
