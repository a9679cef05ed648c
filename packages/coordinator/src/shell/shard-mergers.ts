/** How the results of a task's shards become the result of the task, for each task type that can be split. */
import {
  decodeDocument,
  decodeResult,
  encodeDocument,
  payloadOf,
  toFailure,
  type PatternMatchResult,
} from '@quic-swarm/protocol';
import { decoded } from '@quic-swarm/transport';
import type { MergeShards } from '../core/effects.ts';
import type { ShardsMerged } from '../core/events.ts';
import type { ShardResult } from '../core/task.ts';
import { mergePatternResults } from './pattern-merger.ts';

/**
 * Takes the decoded results of all shards, in the order of their positions, and returns the result of the whole, which
 * must be a document. Runs on the coordinator's thread, so it should be light. An error that it throws fails the task.
 */
export type ShardMerger = (results: readonly unknown[], attempts: number) => unknown;

const BUILT_IN: Readonly<Record<string, ShardMerger>> = {
  PatternMatch: (results, attempts) => {
    const merged = mergePatternResults(results as readonly PatternMatchResult[]);
    return { ...merged, stats: { ...merged.stats, shards: results.length, attempts } };
  },
};

/** See the head of the file. */
export class ShardMergers {
  readonly #mergers: Readonly<Record<string, ShardMerger>>;

  /** @param own those of a user's task types */
  constructor(own: Readonly<Record<string, ShardMerger>> = {}) {
    this.#mergers = { ...own, ...BUILT_IN };
  }

  get taskTypes(): readonly string[] {
    return Object.keys(this.#mergers);
  }

  /** Never rejects: what goes wrong is how the task ends. */
  async merge({
    taskType,
    results,
    resultType,
    attempts,
  }: MergeShards): Promise<ShardsMerged['merged']> {
    try {
      const merge = this.#mergers[taskType];
      if (merge === undefined) throw new Error(`There is no merger for ${taskType}.`);
      const plain = await Promise.all(results.map(async (result) => documentOf(taskType, result)));
      const merged = await merge(plain, attempts);
      const payload = merged === undefined ? undefined : encodeDocument(merged);
      return { payload, resultType };
    } catch (error) {
      const { stack: _local, ...failure } = toFailure(error, 'TASK_FAILED');
      return { failure: { ...failure, retryable: false } };
    }
  }
}

async function documentOf(
  taskType: string,
  { payload, payloadEncoding }: ShardResult,
): Promise<unknown> {
  if (payload === undefined) return undefined;
  const body = {
    ...NO_LEASE,
    payload,
    ...(payloadEncoding === undefined ? {} : { payloadEncoding }),
  };
  const bytes = payloadOf(await decoded({ type: 'TaskCompletion', body })) ?? payload;
  return taskType === 'PatternMatch' ? decodeResult(taskType, bytes) : decodeDocument(bytes);
}

/** Decoding looks at the payload of a message alone. */
const NO_LEASE = {
  epoch: 0,
  taskId: '',
  attempt: 1,
  outcome: 'succeeded',
  chunkCount: 0,
  computeMs: 0,
  waitMs: 0,
} as const;
