import { describe, expect, it } from 'vitest';
import { Fifo } from '../src/core/fifo.ts';

describe('a first-in-first-out queue', () => {
  it('gives back everything in order, however it is filled and emptied', () => {
    const fifo = new Fifo<number>();
    const plain: number[] = [];
    let next = 0;
    for (let round = 0; round < 40; round++) {
      for (let n = 0; n < 200 + round; n++) {
        fifo.push(next);
        plain.push(next);
        next += 1;
      }
      // Empties it every eighth round, and half of it in between.
      const leaving = round % 8 === 7 ? plain.length : plain.length >> 1;
      for (let n = 0; n < leaving; n++) {
        expect(fifo.peek()).toBe(plain[0]);
        expect(fifo.shift()).toBe(plain.shift());
      }
      expect(fifo.size).toBe(plain.length);
    }
    expect(fifo.size).toBe(0);
    expect(fifo.peek()).toBeUndefined();
    expect(fifo.shift()).toBeUndefined();
    expect(fifo.size).toBe(0);
  });
});
