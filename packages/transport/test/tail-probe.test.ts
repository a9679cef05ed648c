/** When a connection that hears nothing sends pings of its own. */
import { describe, expect, it } from 'vitest';
import { TailProbe } from '../src/quic/connection/tail-probe.ts';

/** A probe of a connection whose quiche believes in `roundTripMs` and counts `lost` datagrams. */
function probeOf(believed: { roundTripMs: number; lost: number }): TailProbe {
  return new TailProbe({
    path: () => ({ roundTripMs: believed.roundTripMs, deliveryRate: 0 }),
    stats: () =>
      ({ lost: believed.lost }) as ReturnType<ConstructorParameters<typeof TailProbe>[0]['stats']>,
  });
}

const near = (): TailProbe => {
  const probe = probeOf({ roundTripMs: 1, lost: 0 });
  probe.noteTurn(false, 0);
  probe.noteReceived(1);
  probe.noteTurn(true, 1);
  return probe;
};

describe('silence', () => {
  it('is not noticed while nothing awaits its acknowledgement', () => {
    const probe = near();
    expect(probe.dueAtMs).toBe(Infinity);
    expect(probe.tick(1e9)).toBe(false);
  });

  it('is broken after a quarter of a second on a near path, then after times that double up to four seconds', () => {
    const probe = near();
    probe.noteTurn(false, 100);
    const dueAtMs: number[] = [];
    for (let count = 0; count < 7; count += 1) {
      dueAtMs.push(probe.dueAtMs);
      expect(probe.tick(probe.dueAtMs - 0.1)).toBe(false);
      expect(probe.tick(probe.dueAtMs)).toBe(true);
      probe.noteTurn(false, probe.dueAtMs - 1);
    }
    const distancesMs = dueAtMs.map((due, index) => due - (dueAtMs[index - 1] ?? 100));
    expect(distancesMs).toEqual([250, 500, 1000, 2000, 4000, 4000, 4000]);
  });

  it('begins anew with each word of the peer while something is left', () => {
    const probe = near();
    probe.noteTurn(false, 100);
    expect(probe.tick(350)).toBe(true);
    probe.noteReceived(400);
    probe.noteTurn(false, 400);
    expect(probe.dueAtMs).toBe(650);
  });

  it('is not put off by what is sent meanwhile', () => {
    const probe = near();
    probe.noteTurn(false, 100);
    probe.noteTurn(false, 300);
    expect(probe.dueAtMs).toBe(350);
  });

  it.each([
    ['of 400 ms after twice that', 400, 800],
    ['of 3 s after a second', 3000, 1000],
  ])('of a path with a round trip %s', (_, roundTripMs, silenceMs) => {
    const probe = probeOf({ roundTripMs, lost: 0 });
    probe.noteTurn(false, 0);
    expect(probe.dueAtMs).toBe(1000);
    probe.noteReceived(roundTripMs);
    probe.noteTurn(false, 10_000);
    expect(probe.dueAtMs).toBe(10_000 + silenceMs);
  });
});

describe('quiche saying that nothing awaits its acknowledgement', () => {
  it('is not believed without a word of the peer', () => {
    const probe = near();
    probe.noteTurn(false, 100);
    probe.noteTurn(true, 200);
    expect(probe.dueAtMs).toBe(350);
    probe.noteReceived(300);
    probe.noteTurn(true, 300);
    expect(probe.dueAtMs).toBe(Infinity);
  });

  /** Believes in seconds, has noticed it, and hears an answer at 400 while `lost` datagrams are counted. */
  const doubtful = (lost: number): { probe: TailProbe; believed: { lost: number } } => {
    const believed = { roundTripMs: 5000, lost };
    const probe = probeOf(believed);
    probe.noteTurn(false, 0);
    probe.noteReceived(1);
    probe.noteWritten();
    probe.noteTurn(false, 100);
    expect(probe.tick(350)).toBe(true);
    return { probe, believed };
  };

  it('is not believed either where it believes in seconds, until pings were answered', () => {
    const { probe } = doubtful(0);
    probe.noteReceived(400);
    probe.noteTurn(true, 400);
    expect(probe.dueAtMs).toBe(Infinity);
    probe.noteWritten();
    probe.noteTurn(true, 500);
    expect(probe.dueAtMs).toBe(750);
    // A word of the peer that answers no pings proves nothing.
    probe.noteReceived(510);
    probe.noteTurn(true, 510);
    expect(probe.dueAtMs).toBe(760);
    expect(probe.tick(760)).toBe(true);
    probe.noteReceived(770);
    probe.noteTurn(true, 770);
    expect(probe.dueAtMs).toBe(Infinity);
  });

  it('is not believed when the answer showed that datagrams were lost, which now are sent again', () => {
    const { probe, believed } = doubtful(0);
    believed.lost = 1;
    probe.noteReceived(400);
    probe.noteTurn(true, 400);
    expect(probe.dueAtMs).toBe(650);
    expect(probe.tick(650)).toBe(true);
    probe.noteReceived(660);
    probe.noteTurn(true, 660);
    expect(probe.dueAtMs).toBe(Infinity);
  });
});
