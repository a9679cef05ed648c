/** Compares what kernels and oracles say, and counts it: a comparison of nothing agrees with everything. */
import { afterAll, expect } from 'vitest';
import type { Answer } from '../../packages/kernels/test/oracle-questions.ts';

/** Values that were compared with one oracle, and the largest difference among them. */
export class Agreement {
  readonly #counts = new Map<string, { values: number; largest: number }>();

  /** `oracle` and what it said are printed when the file's tests have ended. */
  constructor(oracle: string) {
    afterAll(() => {
      for (const [what, { values, largest }] of this.#counts) {
        console.info(
          `${oracle}: ${what}: ${values} values, largest difference ${largest.toExponential(1)}`,
        );
      }
    });
  }

  /** Fails unless both are NaN or differ by at most `tolerance`, relative for values over 1. */
  value(what: string, found: number, wanted: number, tolerance: number): void {
    const entry = this.#counts.get(what) ?? { values: 0, largest: 0 };
    this.#counts.set(what, entry);
    entry.values += 1;
    if (Number.isNaN(found) && Number.isNaN(wanted)) return;
    const difference = Math.abs(found - wanted) / Math.max(1, Math.abs(wanted));
    if (!(difference <= tolerance)) expect.fail(`${what}: ${found}, not ${wanted}`);
    entry.largest = Math.max(entry.largest, difference);
  }

  /** Fails unless the lists have the same length and values. */
  values(
    what: string,
    found: readonly (number | null)[],
    wanted: readonly (number | null)[],
    tolerance: number,
  ): void {
    expect(found.length, what).toBe(wanted.length);
    for (const [index, value] of wanted.entries()) {
      this.value(what, found[index] ?? NaN, value ?? NaN, tolerance);
    }
  }

  /** Compares all that the wanted answer has: real numbers to a tolerance, integers exactly. */
  answer(what: string, found: Answer, wanted: Answer, tolerance: number): void {
    for (const name of ['matrix', 'values'] as const) {
      const list = wanted[name];
      if (list !== undefined) this.values(what, found[name] ?? [], list, tolerance);
    }
    for (const name of ['overlap', 'symbols'] as const) {
      const list = wanted[name];
      if (list !== undefined) this.values(`${what}, ${name}`, found[name] ?? [], list, 0);
    }
    for (const name of ['shrinkage', 'distance'] as const) {
      const value = wanted[name];
      const given = found[name] ?? NaN;
      if (value !== undefined) this.value(`${what}, ${name}`, given, value, tolerance);
    }
    if (wanted.length !== undefined) this.value(what, found.length ?? NaN, wanted.length, 0);
    if (wanted.matches === undefined) return;
    const starts = (answer: Answer): number[] => (answer.matches ?? []).map(({ start }) => start);
    expect(starts(found), what).toEqual(starts(wanted));
    for (const [index, { distance }] of wanted.matches.entries()) {
      this.value(what, found.matches?.[index]?.distance ?? NaN, distance, tolerance);
    }
  }
}
