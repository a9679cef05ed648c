/**
 * Chance in a simulation: a generator (sfc32) that is told apart by names, not by the order of use. Each part of the
 * simulation draws from a stream of its own, so that one draw more in one place does not change every other place, and a
 * seed tells nearly the same story after the code around it was changed. Not for secrets.
 */

const TWO_TO_THE_32 = 4_294_967_296;

/** A stream of numbers that follow from a seed and a name. */
export class RandomStream {
  readonly #seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    this.#a = mixed(this.#seed);
    this.#b = mixed(this.#a);
    this.#c = mixed(this.#b);
    // The first numbers of neighbouring seeds are alike without it.
    for (let round = 0; round < 12; round += 1) this.next();
  }

  /** Another stream that depends on this one's seed and the name, and on nothing that was drawn. */
  fork(name: string): RandomStream {
    let seed = this.#seed;
    for (let i = 0; i < name.length; i += 1) seed = mixed(seed ^ name.charCodeAt(i));
    return new RandomStream(seed);
  }

  /** A number in [0, 1). */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) >>> 0;
    return sum / TWO_TO_THE_32;
  }

  /** A number in [least, bound). */
  between(least: number, bound: number): number {
    return least + this.next() * (bound - least);
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of them; there must be one. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  /** Mostly small, now and then large: spread evenly over the orders of magnitude. Both bounds are over 0. */
  magnitude(least: number, most: number): number {
    return least * (most / least) ** this.next();
  }
}

/** The finish of splitmix32: every bit of the input moves every bit of the output. */
function mixed(value: number): number {
  let bits = (value + 0x9e3779b9) >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return (bits ^ (bits >>> 15)) >>> 0;
}
