/** The options of `npm run simulate`. */
import { parseArgs } from 'node:util';

/** Which seeds are run, and how much is said of each. */
export interface SimulateOptions {
  readonly firstSeed: number;
  readonly seeds: number;
  readonly isVerbose: boolean;
}

/** How to call it. */
export const USAGE = `npm run simulate -- [--seeds N] [--first-seed N] [--verbose]

Runs whole swarms on a virtual clock, one for each seed, and checks them against every rule. A seed that breaks one is
told with the story of the task. Defaults: 1000 seeds from 1 on. --verbose prints what happened in each seed.`;

/** Undefined when they cannot be understood. */
export function optionsOf(words: readonly string[]): SimulateOptions | undefined {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        seeds: { type: 'string', default: '1000' },
        'first-seed': { type: 'string', default: '1' },
        verbose: { type: 'boolean', default: false },
      },
    });
    const [seeds, firstSeed] = [Number(values.seeds), Number(values['first-seed'])];
    if (!Number.isInteger(seeds) || seeds < 1 || !Number.isInteger(firstSeed)) return undefined;
    return { seeds, firstSeed, isVerbose: values.verbose };
  } catch {
    return undefined;
  }
}
