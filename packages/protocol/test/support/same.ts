import { deepStrictEqual } from 'node:assert/strict';

/**
 * Expects equal values of equal classes. For values with random names: `toStrictEqual` of vitest takes an entry that is
 * called `constructor` for the class of its map, and so finds that two equal maps differ when that entry is an object.
 */
export function expectSame(actual: unknown, expected: unknown): void {
  deepStrictEqual(actual, expected);
}
