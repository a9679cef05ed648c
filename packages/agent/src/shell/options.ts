/** What an agent is started with, checked, with every default filled in. */
import { existsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import {
  AGENT_ID_PATTERN,
  AGENT_TYPES,
  SwarmError,
  TASK_TYPE_PATTERN,
  isAgentType,
  type AgentType,
  type Labels,
  type CompressionMode,
} from '@quic-swarm/protocol';
import { compressionModeOf, type Address, type Transport } from '@quic-swarm/transport';
import type { AgentEvent } from '../core/effects.ts';
import type { TaskHandler, TunableParameters } from '../task-handler.ts';
import { DATASET_CACHE_BYTES_MAX } from './dataset-cache.ts';
import type { HandlerPlace } from './task-shell.ts';

/** Options of `QuicSwarmAgent.connect`. */
export interface AgentOptions {
  /** The coordinator: `HOST:PORT`, or what `coordinator.address` is. */
  readonly address: string | Address;
  /** Unique among the coordinator's agents: letters, digits, dot, dash, underscore; at most 64. */
  readonly id: string;
  /** Decides which built-in task types it computes; `compute` has none. */
  readonly type: AgentType;
  /** Worker threads. @default the number of cores */
  readonly threads?: number;
  /** Tasks at the same time; those over `threads` wait for a thread, unless they run on the main thread.
   *  @default threads */
  readonly slots?: number;
  /** Words that tasks may ask for: `{ zone: 'a' }`. */
  readonly labels?: Labels;
  /** Handlers of task types of your own, as for `handle`. */
  readonly handlers?: Readonly<Record<string, URL | TaskHandler>>;
  /** What may be tuned in these handlers, by task type: a coordinator that learns chooses among its arms. @default nothing */
  readonly tunables?: Readonly<Record<string, TunableParameters>>;
  /** Carries the bytes. @default QUIC with `security` */
  readonly transport?: Transport;
  /** How the first connection, and each later attempt, is limited. @default 3000 */
  readonly connectTimeoutMs?: number;
  /** After a lost connection, give up after so long. @default never */
  readonly giveUpAfterMs?: number;
  /** Bytes of all data sets in memory. @default 1 GiB */
  readonly datasetBytesMax?: number;
  /** Whether results over 1 KiB travel compressed, and inputs and data sets may: when it makes them arrive sooner,
   *  whenever it makes them shorter, or never. Needs a coordinator that does it too. @default 'auto' */
  readonly compression?: CompressionMode;
  /** Hears what happens; for logs. */
  readonly onEvent?: (event: AgentEvent) => void;
}

/** Numbers that follow from the options. */
export interface ResolvedOptions {
  readonly threads: number;
  readonly slots: number;
  readonly connectTimeoutMs: number;
  readonly datasetBytesMax: number;
  readonly compression: CompressionMode;
  readonly resources: Readonly<Record<string, number>>;
}

/** Checks the options; throws BAD_OPTION. */
export function resolveOptions(options: AgentOptions): ResolvedOptions {
  const { id, type } = options;
  if (!AGENT_ID_PATTERN.test(id)) {
    throw badOption(
      `"${id}" is not an agent id.`,
      'Use letters, digits, dots, dashes and underscores, at most 64, beginning with a letter or digit.',
    );
  }
  if (!isAgentType(type)) {
    throw badOption(`"${String(type)}" is no agent type.`, `Use ${AGENT_TYPES.join(', ')}.`);
  }
  const cores = availableParallelism();
  const threads = requireCount('threads', options.threads ?? Math.max(1, cores));
  const slots = requireCount('slots', options.slots ?? threads);
  if (options.giveUpAfterMs !== undefined) requireCount('giveUpAfterMs', options.giveUpAfterMs);
  return {
    threads,
    slots,
    connectTimeoutMs: requireCount('connectTimeoutMs', options.connectTimeoutMs ?? 3000),
    datasetBytesMax: requireCount(
      'datasetBytesMax',
      options.datasetBytesMax ?? DATASET_CACHE_BYTES_MAX,
    ),
    compression: compressionModeOf(options.compression),
    resources: { cores, memoryBytes: totalmem() },
  };
}

/** Checks one handler of a user; throws BAD_OPTION. */
export function resolveHandler(taskType: string, handler: URL | TaskHandler): HandlerPlace {
  if (!TASK_TYPE_PATTERN.test(taskType)) {
    throw badOption(
      `"${taskType}" is not a task type.`,
      'Use letters, digits, dots, dashes and underscores, at most 64, beginning with a letter.',
    );
  }
  if (typeof handler === 'function') return handler;
  if (!(handler instanceof URL)) {
    throw badOption(
      `The handler of ${taskType} is neither a function nor a URL.`,
      `Write new URL('./my-worker.js', import.meta.url).`,
    );
  }
  if (handler.protocol === 'file:' && !existsSync(fileURLToPath(handler))) {
    throw badOption(
      `The handler of ${taskType} should be in ${fileURLToPath(handler)}, but there is no such file.`,
      'Check the path; it is relative to the file that calls new URL(…, import.meta.url).',
    );
  }
  return handler.href;
}

function requireCount(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw badOption(
    `${name} is ${value}, but it must be an integer of 1 or more.`,
    `Set ${name} to an integer of 1 or more, or leave it out.`,
  );
}

/** An option that cannot be, and what to do about it. */
export function badOption(message: string, hint: string): SwarmError {
  return new SwarmError('BAD_OPTION', message, { hint });
}
