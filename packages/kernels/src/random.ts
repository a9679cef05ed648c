/**
 * A small seeded random source, so that training and tests repeat exactly on every machine:
 * xoshiro128** (Blackman & Vigna 2018) with its state filled by splitmix32. Not for secrets.
 */
import { requireInteger } from './check.ts';

/** A repeatable stream of numbers; two sources with the same seed give the same stream. */
export class RandomSource {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed an integer of 0 or more, of which the low 53 bits count */
  constructor(seed: number) {
    requireInteger('seed', seed, 0);
    let state = (seed >>> 0) ^ Math.imul(Math.floor(seed / 2 ** 32), 0x85ebca6b);
    const splitmix = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = state ^ (state >>> 16);
      mixed = Math.imul(mixed, 0x21f0aaad);
      mixed ^= mixed >>> 15;
      mixed = Math.imul(mixed, 0x735a2d97);
      return mixed ^ (mixed >>> 15);
    };
    this.#a = splitmix();
    this.#b = splitmix();
    this.#c = splitmix();
    // The state must not be all zero; the constant keeps it so for every seed.
    this.#d = splitmix() | 1;
  }

  /** An integer from 0 to 2³² − 1. */
  nextUint32(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** A number in [0, 1) with 53 random bits. */
  nextFloat(): number {
    return ((this.nextUint32() >>> 5) * 2 ** 26 + (this.nextUint32() >>> 6)) / 2 ** 53;
  }

  /** A number in [low, high). */
  nextBetween(low: number, high: number): number {
    return low + (high - low) * this.nextFloat();
  }

  /** A draw from the standard normal distribution (Box–Muller). */
  nextNormal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.nextFloat()));
    return radius * Math.cos(2 * Math.PI * this.nextFloat());
  }
}
