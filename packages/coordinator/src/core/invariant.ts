/** Raised where the code contradicts itself: a bug, never an operating error, and never caught. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Ends the process with the reason unless the condition holds. */
export function invariant(condition: boolean, why: string): asserts condition {
  if (!condition) throw new InvariantError(why);
}
