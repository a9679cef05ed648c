/** Longest common subsequences of symbols: what they are, and who computes them. */
import type { KernelEngine } from './engine.ts';
import { TYPESCRIPT_ENGINE } from './typescript/typescript-engine.ts';

/**
 * Length of the longest common subsequence of two series of symbols, from 0 to the shorter length. Symbols are any
 * 32-bit integers; an empty series has nothing in common.
 *
 * @throws KernelError TOO_LARGE when so many symbols are common that their masks need over 16 MiB
 */
export function lcsLength(
  a: Int32Array,
  b: Int32Array,
  engine: KernelEngine = TYPESCRIPT_ENGINE,
): number {
  // The shorter series makes the words: fewer of them, and fewer carries.
  return a.length < b.length ? engine.lcsLength(b, a) : engine.lcsLength(a, b);
}
