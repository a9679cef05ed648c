/**
 * Raised where the code contradicts itself: a bug, never an operating error. The shell counts it as INTERNAL and closes the
 * connection whose message led to it; in tests nothing catches it.
 */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws InvariantError with the reason unless the condition holds. */
export function invariant(condition: boolean, why: string): asserts condition {
  if (!condition) throw new InvariantError(why);
}
