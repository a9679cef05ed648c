/** Some hundred swarms, each with its own faults: every rule holds in all of them. `npm run simulate` runs more. */
import { runSeed } from '@quic-swarm/testkit';
import { describe, expect, it } from 'vitest';
import { storyOf } from './story.ts';

const SEEDS = 200;

describe('a simulated swarm', () => {
  it('keeps every rule under every seed', () => {
    const counts = new Map<string, number>();
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const report = runSeed(seed);
      expect(storyOf(report)).toBe('');
      for (const [what, count] of report.counts) counts.set(what, (counts.get(what) ?? 0) + count);
    }
    // A simulation in which nothing happens keeps every rule, too.
    for (const what of [
      'ended succeeded',
      'ended failed',
      'ended cancelled',
      'ended timed_out',
      'stale completions',
      'agent lost',
      'agent resumed',
      'agent draining',
      'fault killCoordinator',
      'fault drainCoordinator',
      'fault failDisk',
      'ControlDeadLetter',
      'ResultChunk',
      'LeaseReturn',
    ]) {
      expect(counts.get(what) ?? 0, what).toBeGreaterThan(0);
    }
  });

  it('tells the same story for the same seed, and another one for another', () => {
    const fingerprints = new Set<string>();
    for (let seed = 1; seed <= 20; seed += 1) {
      const { fingerprint } = runSeed(seed);
      expect(runSeed(seed).fingerprint).toBe(fingerprint);
      fingerprints.add(fingerprint);
    }
    expect(fingerprints.size).toBe(20);
  });

  it('is caught when its disk loses what it said was written', () => {
    const rules = new Set<string>();
    for (let seed = 1; seed <= 300 && rules.size === 0; seed += 1) {
      const { broken } = runSeed(seed, { isDiskLying: true });
      if (broken !== undefined) rules.add(broken.rule);
    }
    expect([...rules]).toEqual(['kept promises']);
  });
});
