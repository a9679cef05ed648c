/**
 * How each match was warped: the cheapest warping path between the query and the window, computed
 * after the search for the windows that it reports and for no other. The path's sum of squared
 * differences is the square of the match's distance, to the last bit of the sum.
 */
import { dtwPath, PATH_CELLS_MAX } from './dtw.ts';
import type { PatternMatch } from './pattern-result.ts';
import { KernelError } from './problem.ts';
import {
  resolveSearchParameters,
  type PatternSearchOptions,
  type SearchParameters,
} from './search-parameters.ts';
import { prepareWindow, type ComparedSeries } from './window-cascade.ts';
import { zNormalise } from './znormalise.ts';

/** Steps of all paths of one search together: 32 MiB of pairs. A path has m to 2m − 1 steps. */
export const PATH_STEPS_MAX: number = 2 ** 22;

/**
 * Refuses paths that could not be computed or kept, before the search begins.
 *
 * @throws KernelError BAD_PARAMETER for lcss, TOO_LARGE
 */
export function requirePathsPossible(parameters: SearchParameters): void {
  const { algorithm, length, topK, band = 0 } = parameters;
  if (algorithm !== 'dtw') {
    throw new KernelError(
      'BAD_PARAMETER',
      `withPath is set, but algorithm is ${algorithm}, which has no warping path.`,
      'Set algorithm to dtw, or leave withPath out.',
    );
  }
  const cells = length * Math.min(length, 2 * band + 1);
  if (cells > PATH_CELLS_MAX) {
    throw new KernelError(
      'TOO_LARGE',
      `A path over ${cells} cells needs more than ${PATH_CELLS_MAX} bytes.`,
      'Narrow the band, shorten the query, or leave withPath out.',
    );
  }
  if (topK < Infinity) requireFewSteps(topK, length);
}

/**
 * Adds their paths to the matches of a search that was done in parts, which are scanned without: only
 * what is reported at last has a path.
 *
 * @param options of the search
 * @throws KernelError as {@link requirePathsPossible}, TOO_LARGE for too many matches
 */
export function addMatchPaths(
  matches: readonly PatternMatch[],
  options: PatternSearchOptions,
): PatternMatch[] {
  const parameters = resolveSearchParameters(options);
  requirePathsPossible(parameters);
  const normalise = parameters.normalise === 'z';
  const query = normalise ? zNormalise(options.query) : options.query;
  return withPaths(matches, { series: options.series, query, normalise }, parameters);
}

/**
 * Adds its path to each match of a search by dtw. Both series of the context are as the search
 * compared them.
 *
 * @throws KernelError TOO_LARGE when a range search found too many matches for that
 */
export function withPaths(
  matches: readonly PatternMatch[],
  context: ComparedSeries,
  { length, band = 0 }: SearchParameters,
): PatternMatch[] {
  requireFewSteps(matches.length, length);
  const window = new Float64Array(length);
  return matches.map((match) => {
    prepareWindow(context, match.start, window);
    return { ...match, path: dtwPath(context.query, window, { band }).path };
  });
}

function requireFewSteps(matches: number, length: number): void {
  const steps = matches * (2 * length - 1);
  if (steps <= PATH_STEPS_MAX) return;
  throw new KernelError(
    'TOO_LARGE',
    `The paths of ${matches} matches of ${length} points may have ${steps} steps, more than ${PATH_STEPS_MAX}.`,
    'Ask for fewer matches, or leave withPath out.',
  );
}
