import { expect } from 'vitest';
import { isSwarmError, type ErrorType } from '../../src/index.ts';

/** Runs `action`, which must throw an error of this type; answers its message and hint. */
export function refusal(type: ErrorType, action: () => unknown): string {
  let thrown: unknown;
  try {
    action();
  } catch (error) {
    thrown = error;
  }
  if (!isSwarmError(thrown)) throw new Error(`expected ${type}, not ${String(thrown)}`);
  expect(thrown.type).toBe(type);
  return `${thrown.message} ${thrown.hint ?? ''}`;
}
