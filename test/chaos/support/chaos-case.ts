/** What a case is: a fault, work that goes on meanwhile, and figures about what became of it. */
import type { Findings } from './findings.ts';

/** What a case is given. */
export interface ChaosContext {
  readonly seed: number;
  /** Uniform in [0, 1), drawn from the seed. */
  readonly random: () => number;
  /** Fewer rounds, the same questions. */
  readonly isQuick: boolean;
  readonly findings: Findings;
  /** Tells the reader what is being done. */
  readonly say: (text: string) => void;
}

/** One case. */
export interface ChaosCase {
  /** As `--only` names it. */
  readonly name: string;
  /** What happens and what must hold, in a sentence. */
  readonly about: string;
  /** A case that takes longer hangs, and has failed. */
  readonly minutesMax: number;
  readonly run: (context: ChaosContext) => Promise<void>;
}

/** Thrown by a case that cannot be run here; the message says why. */
export class Skipped extends Error {}

/** An integer from `min` to `max`, both included. */
export function integerFrom(random: () => number, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1));
}

/** One of several, all as likely. */
export function pickOne<T>(random: () => number, choices: readonly T[]): T | undefined {
  return choices[Math.floor(random() * choices.length)];
}
