/**
 * A pattern search in parts: which windows a task is about, how many parts are worth the while, and how the threads of
 * an agent scan them together under one bound. Why the joint answer is exact is said in the kernels.
 */
import {
  joinPatternScans,
  packCandidates,
  resolveSearchParameters,
  scanPattern,
  SHARED_BOUND_BYTES,
  SharedBound,
  splitRange,
  unpackCandidates,
  type IndexRange,
  type PackedCandidates,
  type PatternScan,
  type PatternSearchOptions,
} from '@quic-swarm/kernels';
import { SwarmError, type Shard } from '@quic-swarm/protocol';
import type { DonePart, HelperContext, Team, ThreadContext } from '../shell/team.ts';
import { kernelEngine } from './kernel-engine.ts';

/**
 * Fewer positions than this are no part: a scan begins with work of its own (the query's envelope, a block of the series),
 * and a helper costs a tenth of a millisecond.
 */
const PART_POSITIONS_MIN = 16_384;

/** More positions than this are several parts, so that no thread is left with the last one for long. */
const PART_POSITIONS_MAX = 262_144;

/** More parts than this save nothing and cost merging. */
const PARTS_MAX = 4096;

/** Parts per thread: some take longer than others, and helpers come late. */
const PARTS_PER_THREAD = 4;

/** So many positions at least are a part of looking for windows to begin with, which takes a millisecond. */
const SEED_POSITIONS_MIN = 200_000;

/** With more shards than these, looking in all of the search takes longer than scanning the own part of it. */
const WIDE_SEEDS_SHARDS_MAX = 4;

/** What a helper sends for one part. */
type PackedScan = PackedCandidates & Pick<PatternScan, 'stats' | 'route'>;

/**
 * The window starts that the task is about: all, those of `startRows`, of those the ones in the shard.
 * @throws BAD_INPUT when the shards do not cover the series
 */
export function rangeOf(
  { series, query, range }: PatternSearchOptions,
  shard: Shard | undefined,
): IndexRange {
  const positions = Math.max(0, series.length - query.length + 1);
  const wanted = range ?? { start: 0, end: positions };
  if (shard === undefined) return wanted;
  const { index, count, start, end } = shard;
  // Who submits a task says how many positions it has, and windows behind that would be missed without a word.
  if (index === count - 1 ? end !== positions : end > positions) {
    throw new SwarmError(
      'BAD_INPUT',
      `The task was split as if it had ${end} positions; the series has ${positions} windows.`,
      { hint: "Submit it with positions: the length of the series − the query's + 1." },
    );
  }
  const first = Math.min(Math.max(start, wanted.start), end);
  return { start: first, end: Math.max(first, Math.min(end, wanted.end)) };
}

/** How many parts the threads of an agent should share; 1 when it is not worth the while. */
export function partCountOf(
  { start, end }: IndexRange,
  team: Pick<Team, 'threads'> | undefined,
): number {
  if (team === undefined || team.threads === 1) return 1;
  const positions = end - start;
  const wanted = Math.max(
    PARTS_PER_THREAD * team.threads,
    Math.ceil(positions / PART_POSITIONS_MAX),
  );
  return Math.max(1, Math.min(PARTS_MAX, wanted, Math.floor(positions / PART_POSITIONS_MIN)));
}

/**
 * Where windows to begin with are looked for. One of few shards looks in all of the search, which costs less than what it
 * would compute in vain until it hears of the bound of the one that has the match.
 */
export function seedRangeOf(
  options: PatternSearchOptions,
  range: IndexRange,
  shard: Shard | undefined,
): IndexRange {
  if (shard === undefined || shard.count > WIDE_SEEDS_SHARDS_MAX) return range;
  return rangeOf(options, undefined);
}

/** The bound that all shards of the task on this agent share. */
export function boundOf({ scratch }: Pick<ThreadContext, 'scratch'>): SharedBound {
  return new SharedBound(scratch);
}

/** What {@link scanInParts} needs. */
export interface PartsOptions {
  readonly options: PatternSearchOptions;
  readonly range: IndexRange;
  readonly seedRange: IndexRange;
  readonly team: Team;
  readonly context: ThreadContext;
}

/** Scans a range together with whoever has time. */
export async function scanInParts({
  options,
  range,
  seedRange,
  team,
  context,
}: PartsOptions): Promise<PatternScan> {
  const ranges = partsOf(range, seedRange, team);
  const parts = ranges.length;
  const parameters = resolveSearchParameters(options);
  const { scratch = new SharedArrayBuffer(SHARED_BOUND_BYTES) } = context;
  const sharedBound = boundOf({ scratch });
  const scans = await team.computeTogether<PackedScan>({
    parts,
    scratch,
    signal: () => context.signal,
    compute: (part, finishedParts) => {
      const onProgress = (fraction: number): void => {
        options.onProgress?.((finishedParts() + fraction) / parts);
      };
      return packed(
        scanPattern({ ...options, sharedBound, ...ranges[part], onProgress }, kernelEngine),
      );
    },
  });
  return joinPatternScans(
    scans.map((scan) => ({ ...scan, parameters, candidates: unpackCandidates(scan, parameters) })),
    range,
    options.series.length - options.query.length + 1,
  );
}

/** The helper's side of {@link scanInParts}. */
export function helpWithParts(options: PatternSearchOptions, context: HelperContext): void {
  const { parts, shard, team, isCancelled, emit } = context;
  const range = rangeOf(options, shard);
  const ranges = partsOf(range, seedRangeOf(options, range, shard), team);
  const sharedBound = boundOf(context);
  const shouldStop = (): boolean => parts.isClosed || isCancelled();
  const done: DonePart<PackedScan>[] = [];
  try {
    while (!shouldStop()) {
      const part = parts.take();
      if (part === undefined) break;
      const scan = scanPattern(
        { ...options, sharedBound, ...ranges[part], onProgress: undefined, shouldStop },
        kernelEngine,
      );
      parts.finishOne();
      done.push({ part, value: packed(scan) });
    }
  } finally {
    // Together: each message to the host wakes the main thread, which has no core to itself while all threads compute.
    if (done.length > 0) emit(done);
  }
}

/** One part of a search. */
type Part = Required<Pick<PatternSearchOptions, 'range' | 'seedRange'>>;

/** The same for the host and its helpers. The first parts only look for windows to begin with, for the bound of all. */
function partsOf(
  range: IndexRange,
  seedRange: IndexRange,
  team: Pick<Team, 'threads'> | undefined,
): readonly Part[] {
  const positions = seedRange.end - seedRange.start;
  const seedParts = Math.min(team?.threads ?? 1, Math.ceil(positions / SEED_POSITIONS_MIN));
  const nothing = { start: range.start, end: range.start };
  return [
    ...cut(seedRange, seedParts).map((part) => ({ range: nothing, seedRange: part })),
    ...cut(range, partCountOf(range, team)).map((part) => ({ range: part, seedRange: nothing })),
  ];
}

function cut({ start, end }: IndexRange, parts: number): IndexRange[] {
  return splitRange(end - start, parts).map((part) => ({
    start: start + part.start,
    end: start + part.end,
  }));
}

function packed({ candidates, stats, route }: PatternScan): PackedScan {
  return { ...packCandidates(candidates), stats, route };
}
