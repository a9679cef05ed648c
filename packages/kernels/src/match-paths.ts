/**
 * How each match was warped: the cheapest warping path between the query and the window, computed
 * after the search for the windows that it reports and for no other. The path's sum of squared
 * differences is the square of the match's distance, to the last bit of the sum.
 */
import { dtwPath, PATH_CELLS_MAX } from './dtw.ts';
import type { PackedCandidates } from './packed-candidates.ts';
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

/** Steps of the paths that one shard sends, a byte each: its candidates are more than the matches that are left of them. */
const PACKED_STEPS_MAX = 2 ** 24;

/** A step of a packed path: on to the next point of both, of the query only, of the window only. */
const STEP = { both: 0, query: 1, window: 2 } as const;

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
  return withPaths(matches, comparedSeries(options, parameters), parameters);
}

function comparedSeries(
  { series, query }: PatternSearchOptions,
  { normalise }: SearchParameters,
): ComparedSeries {
  const isNormalised = normalise === 'z';
  return { series, query: isNormalised ? zNormalise(query) : query, normalise: isNormalised };
}

/**
 * Computes the paths of a shard's candidates, which whoever merges the shards cannot, having no series. A byte for each step
 * from (0, 0) on, one path behind the other in the order of the candidates: 0 to the next point of query and window, 1 of
 * the query alone, 2 of the window alone. A path ends where it reaches (m − 1, m − 1).
 *
 * @param options of the search; `shouldStop` is asked before each path
 * @throws KernelError as {@link requirePathsPossible}, TOO_LARGE over 16,777,216 steps, CANCELLED
 */
export function packMatchPaths(
  candidates: readonly PatternMatch[],
  options: PatternSearchOptions,
): Uint8Array {
  const parameters = resolveSearchParameters(options);
  requirePathsPossible(parameters);
  const { length, band = 0 } = parameters;
  const context = comparedSeries(options, parameters);
  const window = new Float64Array(length);
  const paths: Uint8Array[] = [];
  let total = 0;
  for (const { start } of candidates) {
    if (options.shouldStop?.() === true) throw stoppedAfter(paths.length, candidates.length);
    prepareWindow(context, start, window);
    const steps = stepsOf(dtwPath(context.query, window, { band }).path);
    total += steps.length;
    if (total > PACKED_STEPS_MAX) throw tooManySteps(candidates.length, total, PACKED_STEPS_MAX);
    paths.push(steps);
  }
  const packed = new Uint8Array(total);
  let at = 0;
  for (const steps of paths) {
    packed.set(steps, at);
    at += steps.length;
  }
  return packed;
}

function stepsOf(path: Uint32Array): Uint8Array {
  const steps = new Uint8Array(path.length / 2 - 1);
  for (let k = 0; k < steps.length; k += 1) {
    const isQueryFixed = path[2 * k] === path[2 * k + 2];
    const isWindowFixed = path[2 * k + 1] === path[2 * k + 3];
    steps[k] = isQueryFixed ? STEP.window : isWindowFixed ? STEP.query : STEP.both;
  }
  return steps;
}

/**
 * Gives the matches of a merged search the paths that its shards have sent.
 *
 * @param shards the candidates of which the matches are
 * @param length m, points of the query
 * @throws KernelError BAD_PARAMETER when a shard's steps are no paths or a match has none, TOO_LARGE as a search in one piece
 */
export function unpackMatchPaths(
  matches: readonly PatternMatch[],
  shards: readonly PackedCandidates[],
  length: number,
): PatternMatch[] {
  requireFewSteps(matches.length, length);
  const wanted = new Set(matches.map(({ start }) => start));
  const paths = new Map<number, Uint32Array>();
  for (const { starts, pathSteps = new Uint8Array(0) } of shards) {
    let at = 0;
    for (const start of starts) {
      const end = pathEnd(pathSteps, at, length);
      if (wanted.has(start)) paths.set(start, pathOf(pathSteps.subarray(at, end)));
      at = end;
    }
    if (at !== pathSteps.length) throw noPaths();
  }
  return matches.map((match) => {
    const path = paths.get(match.start);
    if (path === undefined) throw noPaths();
    return { ...match, path };
  });
}

/** Behind the steps of the path that begins at `at`. */
function pathEnd(steps: Uint8Array, at: number, length: number): number {
  let i = 0;
  let j = 0;
  let next = at;
  while (i < length - 1 || j < length - 1) {
    const step = steps[next];
    if (step !== STEP.window) i += 1;
    if (step !== STEP.query) j += 1;
    next += 1;
    if (step === undefined || step > STEP.window || i >= length || j >= length) throw noPaths();
  }
  return next;
}

function pathOf(steps: Uint8Array): Uint32Array {
  const path = new Uint32Array(2 * steps.length + 2);
  for (const [k, step] of steps.entries()) {
    path[2 * k + 2] = (path[2 * k] as number) + (step === STEP.window ? 0 : 1);
    path[2 * k + 3] = (path[2 * k + 1] as number) + (step === STEP.query ? 0 : 1);
  }
  return path;
}

function noPaths(): KernelError {
  return new KernelError(
    'BAD_PARAMETER',
    'The steps of the shards are not the paths of their candidates.',
    'Pass the steps as packMatchPaths wrote them.',
  );
}

function stoppedAfter(paths: number, candidates: number): KernelError {
  return new KernelError(
    'CANCELLED',
    `The search was stopped after ${paths} of ${candidates} paths.`,
    'Start it again if the answer is still wanted.',
  );
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
  if (steps > PATH_STEPS_MAX) throw tooManySteps(matches, steps, PATH_STEPS_MAX);
}

function tooManySteps(matches: number, steps: number, stepsMax: number): KernelError {
  return new KernelError(
    'TOO_LARGE',
    `The paths of ${matches} windows may have ${steps} steps, more than ${stepsMax}.`,
    'Ask for fewer matches, or leave withPath out.',
  );
}
