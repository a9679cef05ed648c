/** The small parts of the QUIC driver, each alone. */
import { randomBytes } from 'node:crypto';
import { isPattern, pattern, seededRandom } from '@quic-swarm/testkit';
import { describe, expect, it, vi } from 'vitest';
import { LazyTimer } from '../src/quic/connection/lazy-timer.ts';
import { RetryTokens } from '../src/quic/listener/retry-token.ts';
import { isLoopback, resolveAddress } from '../src/quic/socket.ts';
import { WriteQueue } from '../src/quic/streams/write-queue.ts';

describe('WriteQueue', () => {
  it('gives back the bytes in order, however they went in and however much is taken', () => {
    const random = seededRandom(11);
    const queue = new WriteQueue();
    let pushed = 0;
    let taken = 0;
    for (let step = 0; step < 4000; step += 1) {
      if (random() < 0.5) {
        const length = 1 + Math.floor(random() ** 6 * 100_000);
        queue.push(pattern(pushed, length));
        pushed += length;
      }
      const head = queue.head();
      if (!isPattern(head, taken)) throw new Error(`Wrong bytes after ${taken}.`);
      expect(head.length > 0).toBe(queue.bytes > 0);
      const count = random() < 0.5 ? head.length : Math.floor(random() * head.length);
      queue.drop(count);
      taken += count;
      expect(queue.bytes).toBe(pushed - taken);
    }
  });

  it('joins small chunks and hands out large ones as they are', () => {
    const queue = new WriteQueue();
    for (let index = 0; index < 100; index += 1) queue.push(pattern(index * 10, 10));
    const large = pattern(1000, 50_000);
    queue.push(large);
    queue.push(pattern(51_000, 10));
    expect(queue.head().length).toBeGreaterThanOrEqual(1000);
    queue.drop(1000);
    expect(queue.head()).toBe(large);
    queue.clear();
    expect([queue.bytes, queue.head().length]).toEqual([0, 0]);
  });
});

describe('RetryTokens', () => {
  const originalId = randomBytes(16);
  const tokens = new RetryTokens();
  const token = tokens.make('10.0.0.1', 4000, originalId, 1_000_000);

  it('give the first connection id back to the address that they were made for', () => {
    expect(tokens.check(token, '10.0.0.1', 4000, 1_000_001)).toEqual(originalId);
  });

  it('are worth nothing at another address, port or time, changed, cut, or to another process', () => {
    expect(tokens.check(token, '10.0.0.2', 4000, 1_000_001)).toBeUndefined();
    expect(tokens.check(token, '10.0.0.1', 4001, 1_000_001)).toBeUndefined();
    expect(tokens.check(token, '10.0.0.1', 4000, 1_030_001)).toBeUndefined();
    for (let index = 0; index < token.length; index += 1) {
      const changed = Uint8Array.from(token);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(tokens.check(changed, '10.0.0.1', 4000, 1_000_001)).toBeUndefined();
      expect(tokens.check(token.subarray(0, index), '10.0.0.1', 4000, 1_000_001)).toBeUndefined();
    }
    expect(new RetryTokens().check(token, '10.0.0.1', 4000, 1_000_001)).toBeUndefined();
  });
});

describe('LazyTimer', () => {
  it('fires at the time that was set last, be it later or earlier, and never when stopped', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const fired: number[] = [];
      const startMs = performance.now();
      const timer = new LazyTimer(() => fired.push(performance.now() - startMs));
      timer.set(startMs + 50);
      timer.set(startMs + 200);
      vi.advanceTimersByTime(199);
      expect(fired).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(fired).toEqual([200]);
      timer.set(startMs + 1000);
      timer.set(startMs + 300);
      vi.advanceTimersByTime(2000);
      expect(fired).toEqual([200, 300]);
      timer.set(startMs + 5000);
      timer.set(Infinity);
      vi.advanceTimersByTime(10_000);
      timer.set(startMs + 20_000);
      timer.stop();
      vi.advanceTimersByTime(20_000);
      expect(fired).toEqual([200, 300]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('hosts', () => {
  it('are resolved to addresses, localhost without asking anybody', async () => {
    expect(await resolveAddress({ host: 'localhost', port: 1 })).toEqual({
      host: '127.0.0.1',
      port: 1,
    });
    expect(await resolveAddress({ host: '::1', port: 1 })).toEqual({ host: '::1', port: 1 });
    await expect(resolveAddress({ host: 'no-such-host.invalid', port: 1 })).rejects.toMatchObject({
      type: 'BAD_ADDRESS',
    });
  });

  it('are loopback or not', () => {
    expect(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'].every(isLoopback)).toBe(true);
    expect(['10.0.0.1', '::', '0.0.0.0', '1.127.0.0'].some(isLoopback)).toBe(false);
  });
});
