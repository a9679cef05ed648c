/** The options of the public interface. */
import type {
  Labels,
  RetryPolicy,
  TaskState,
  WatchLevel,
  CompressionMode,
} from '@quic-swarm/protocol';
import type { Address, SecurityOptions, Transport } from '@quic-swarm/transport';
import type { ClientEvent } from './driver.ts';

/** Options of `connect`. */
export interface ClientOptions {
  /** Where the coordinator listens: `127.0.0.1:5000`, `[::1]:5000`, `coordinator.example:5000`. */
  readonly address: string | Address;
  /** Name of this program, for people who look at the coordinator. @default 'client' */
  readonly name?: string | undefined;
  /** Whose certificate is trusted and who this client is; see the package transport. @default the development one */
  readonly security?: SecurityOptions | undefined;
  /** Another way to carry bytes, such as a memory network in tests; `security` is ignored then. @default QUIC */
  readonly transport?: Transport | undefined;
  /** How long connecting and the handshake may take. @default 3000 */
  readonly timeoutMs?: number | undefined;
  /** How long the coordinator may take to answer a question. @default 5000 */
  readonly requestTimeoutMs?: number | undefined;
  /** A lost connection is restored in the background; after so long without success everything that waits rejects
   *  with CONNECTION_LOST. The next call tries again. Infinity for never. @default 60000 */
  readonly giveUpAfterMs?: number | undefined;
  /** Whether inputs and data sets over 1 KiB travel compressed, and results may: when it makes them arrive sooner,
   *  whenever it makes them shorter, or never. Needs a coordinator that does it too. @default 'auto' */
  readonly compression?: CompressionMode | undefined;
  /** Requests (submissions among them) that may wait for an acknowledgement; more reject with QUEUE_FULL.
   *  @default 10000 */
  readonly pendingRequestsMax?: number | undefined;
  /** Bytes of their inputs, which are kept for sending them again. @default 67108864 (64 MiB) */
  readonly pendingBytesMax?: number | undefined;
  /** Parts of one task's result that may wait to be read by `chunks()`. @default 1024 */
  readonly unreadChunksMax?: number | undefined;
  /** Their bytes. @default 67108864 (64 MiB) */
  readonly unreadChunkBytesMax?: number | undefined;
  /** Hears of the connection: lost, restored, given up. What it throws is ignored. */
  readonly onEvent?: ((event: ClientEvent) => void) | undefined;
}

/** A task: a `TaskHandle`, or its id. */
export type TaskReference = string | { readonly id: string };

/** Option `learn` of a submission: that the coordinator chooses its parameters, and learns from how it turns out. */
export interface LearnOptions {
  /** What is known now and may decide which parameters are good; at most 16 numbers, always of the same kind and in the
   *  same order for a task type. @default none */
  readonly context?: Float64Array | readonly number[] | undefined;
  /** The series and the position in it, so that outcomes that overlap are told apart. @default the order of acceptance */
  readonly seriesId?: string | undefined;
  readonly step?: number | undefined;
  /** Other parameters may be tried on the same task while an agent is idle. @default true */
  readonly shadow?: boolean | undefined;
}

/** Options of `submit`, `run` and `map`. */
export interface SubmitOptions {
  /** Only agents of this type; built-in task types imply theirs. */
  readonly agentType?: string | undefined;
  /** Only agents that carry all of these labels. */
  readonly labels?: Labels | undefined;
  /** Data sets that the task reads. Those in the input of a built-in task type are found by themselves. */
  readonly datasets?: readonly string[] | undefined;
  /** 1 is served first, 5 last. @default 3 */
  readonly priority?: number | undefined;
  /** A second submission with the same key and task type is answered with the first one's task. */
  readonly idempotencyKey?: string | undefined;
  /** False: start it at most once, whatever happens. @default true */
  readonly idempotent?: boolean | undefined;
  /**
   * Acknowledge the task only when it is on the coordinator's disk: it then survives a restart. A coordinator without a
   * data folder refuses with UNSUPPORTED_OPTION. @default what the coordinator does where nobody says, mostly false
   */
  readonly durable?: boolean | undefined;
  /** Tasks that must have succeeded before: their handles or ids. The handler gets their results as `context.results`
   *  in this order. When one ends in another way, this one fails with DEPENDENCY_FAILED. */
  readonly after?: readonly TaskReference[] | undefined;
  /** Tasks with different keys take turns. Needs the feature `fairness`. */
  readonly fairnessKey?: string | undefined;
  /** Give it to a second agent when it takes much longer than others of its type; the first answer counts. Only for tasks
   *  that may be started twice. @default false */
  readonly hedge?: boolean | undefined;
  /** Do not start before so much time has passed. @default 0 */
  readonly delayMs?: number | undefined;
  /** The same as a time of day by this machine's clock, instead of `delayMs`; one that has passed means at once. */
  readonly notBefore?: Date | undefined;
  /** Fail with START_TIMEOUT when no agent has begun in time. @default none */
  readonly scheduleToStartMs?: number | undefined;
  /** How long one attempt may take. @default 300000 */
  readonly startToCloseMs?: number | undefined;
  /** How long it may take in all, repetitions included. @default none */
  readonly scheduleToCloseMs?: number | undefined;
  /** When a failed attempt is tried again. @default three attempts, 100 ms apart and doubling */
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** What happens to the task when this client's connection ends for good. @default 'keep' */
  readonly onClientLoss?: 'keep' | 'cancel' | undefined;
  /**
   * Splits the task over several agents: into so many parts, or into as many as suit the agents and the length of the
   * task. The result is the same. For PatternMatch, and for task types that the coordinator has a merger for.
   * @default one agent; its free threads help in any case
   */
  readonly shards?: 'auto' | number | undefined;
  /** What `shards` splits: 0 … positions − 1. @default for PatternMatch, the windows of the series, when it came along
   *  or was put as a table by this client */
  readonly positions?: number | undefined;
  /** Let the coordinator choose the parameters that the handler offers for tuning, and learn from the outcome, which is to
   *  be told with `outcome`. A coordinator that does not learn is not asked: UNSUPPORTED_OPTION. @default no */
  readonly learn?: LearnOptions | undefined;
  /** `none`: hear nothing until the handle is asked. `result`: the end, progress and parts. `all`: every change of state
   *  too, as progress. @default 'result' */
  readonly watch?: WatchLevel | undefined;
  /** How long the coordinator may take to accept the task; a second per megabyte of input is added. @default 5000 */
  readonly submitTimeoutMs?: number | undefined;
  /** Cancels the task; whatever waits for it rejects with TASK_CANCELLED at once. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `map`. */
export interface MapOptions extends SubmitOptions {
  /** Tasks that are unfinished at the same time, and results that wait to be read. @default 64 */
  readonly concurrency?: number | undefined;
  /** Results in the order of the inputs, or as they come. @default true */
  readonly ordered?: boolean | undefined;
  /** What a failed task does: end the loop with its error and cancel the others, or be yielded. @default 'throw' */
  readonly onFailure?: 'throw' | 'yield' | undefined;
}

/** Options of `tasks`. */
export interface TaskQuery {
  /** Only tasks in these states. @default all */
  readonly states?: readonly TaskState[] | undefined;
  /** Newest first, at most so many, up to 1000. @default 1000 */
  readonly limit?: number | undefined;
}

/** Options of `deadLetters`. */
export interface DeadLetterQuery {
  /** Newest first, at most so many, up to 1000. @default 1000 */
  readonly limit?: number | undefined;
}

/** Options of `attach`. */
export interface AttachOptions {
  /** As for `submit`. A task that this client hears of already keeps its level. @default 'result' */
  readonly watch?: Exclude<WatchLevel, 'none'> | undefined;
}

/** Options of `replayDeadLetter`. */
export interface ReplayOptions {
  /** As for `submit`: how much to hear of the new task before its handle is asked. @default 'result' */
  readonly watch?: WatchLevel | undefined;
}

/** How a task turned out, for `outcome`: at least one of `actual`, `loss` and `utility`. */
export interface KnownOutcome {
  /** What was forecast, as it came: the losses of all parameters follow from it whose forecast is known. */
  readonly actual?: number | undefined;
  /** Of the parameters that were used, lower is better. */
  readonly loss?: number | undefined;
  /** Of the parameters that were used, from 0 to 1, higher is better. */
  readonly utility?: number | undefined;
  /** Position in the series at which it became known. @default that of the task */
  readonly step?: number | undefined;
}

/** Options of `reasoning`. */
export interface ReasoningQuery {
  /** Only of this task type; needed for `arms`, and for `explain` without a task. */
  readonly taskType?: string | undefined;
  /** For `explain`: why this task was given its parameters. */
  readonly taskId?: string | undefined;
}

/** Options of `cancel`. */
export interface CancelOptions {
  /** For people. @default 'The client asked for it.' */
  readonly reason?: string | undefined;
  /** How long the handler may take to stop by itself before its thread is terminated. @default 1000 */
  readonly graceMs?: number | undefined;
}
