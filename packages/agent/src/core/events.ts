/**
 * Everything that can happen to an agent, in the past tense. Randomness enters here too (`jitter`), so that the core
 * stays a function of its events and of `nowMs`.
 */
import type {
  AgentTask,
  Alternative,
  Arm,
  Failure,
  Lease,
  Message,
  Prediction,
  Tunable,
} from '@quic-swarm/protocol';

/** What a handler says for the learner, beside its result. */
export interface Findings {
  /** The parameters that it computed with, where they are not those that it was given. */
  ranWith?: Arm;
  predicted?: Prediction;
  alternatives?: Alternative[];
}

/** How a handler ended, whatever it ran on. */
export interface TaskResult {
  /** `cancelled`: the handler noticed that it should stop, or its thread was terminated for it. */
  readonly outcome: 'succeeded' | 'failed' | 'cancelled';
  /** The result, one CBOR item; absent when the handler returned nothing. */
  readonly payload?: Uint8Array;
  /** Present when it failed. */
  readonly failure?: Failure;
  /** Time in the handler. */
  readonly computeMs: number;
  /** What it took of its thread: decoding, handler, encoding. Absent when its end was not its handler's. */
  readonly serviceMs?: number;
  /** The handler looked at the arm that was chosen for it. */
  readonly usedArm: boolean;
  readonly findings?: Findings;
}

/** What the shell tells the core. */
export type Event =
  /** The agent should join. Once, first. */
  | { readonly type: 'Started' }
  /** A connection stands; nothing was sent on it yet. */
  | { readonly type: 'ConnectionOpened' }
  /** No connection came about, or the one there was has ended. `jitter` is a random number in [0, 1). */
  | { readonly type: 'ConnectionEnded'; readonly failure: Failure; readonly jitter: number }
  /** A whole message that is allowed on the stream it came on. */
  | { readonly type: 'MessageReceived'; readonly message: Message }
  /** `run()` was called: ask for tasks. */
  | { readonly type: 'WorkRequested' }
  /** The task types that have a handler, all of them. */
  | {
      readonly type: 'CapabilitiesChanged';
      readonly capabilities: readonly string[];
      /** Those of them whose handler runs on the main thread. @default none */
      readonly onMainThread?: readonly string[];
      /** What can be tuned in them. @default nothing */
      readonly tunables?: readonly Tunable[];
    }
  /** All data sets of a waiting task are in memory and stay there until ReleaseDatasets. */
  | { readonly type: 'DatasetsReady'; readonly lease: Lease }
  | { readonly type: 'DatasetsFailed'; readonly lease: Lease; readonly failure: Failure }
  /** Handlers that have begun and did not end at once, some milliseconds after that; none may be left out that runs on. */
  | { readonly type: 'TasksBegun'; readonly leases: readonly Lease[] }
  /** A handler has begun and runs for so long that others should not count on its slot. */
  | { readonly type: 'TaskTurnedOutLong'; readonly lease: Lease; readonly tookMs: number }
  /** What stood behind such a handler, in its order. None of it was begun, nor will be. */
  | {
      readonly type: 'TasksTakenBack';
      readonly tasks: readonly { readonly lease: Lease; readonly task: AgentTask }[];
    }
  | {
      readonly type: 'ProgressReported';
      readonly lease: Lease;
      readonly fraction: number;
      readonly text?: string;
    }
  /** The threads of a shard have proved that no window above this distance matters to its task. */
  | { readonly type: 'BoundProved'; readonly lease: Lease; readonly distance: number }
  | { readonly type: 'ChunkEmitted'; readonly lease: Lease; readonly payload: Uint8Array }
  /** The handler of a running task has ended; its slot is free. */
  | { readonly type: 'TaskFinished'; readonly lease: Lease; readonly result: TaskResult }
  /** Finish and leave. */
  | { readonly type: 'DrainRequested'; readonly deadlineMs: number; readonly reason: string }
  /** Leave now. */
  | { readonly type: 'CloseRequested'; readonly reason: string }
  /** The time of `nextTimeoutMs()` has come. Coming early or twice is harmless. */
  | { readonly type: 'TimeoutReached' };
