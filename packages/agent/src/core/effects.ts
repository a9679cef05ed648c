/** Everything that the core asks the shell to do, in the imperative. The shell obeys in the order of the list. */
import type { AgentTask, Arm, Failure, Lease, Message } from '@quic-swarm/protocol';
import type { ServiceTime } from './thread-batching.ts';

/** The standing streams of a connection; a message that is too long for them gets a stream of its own. */
export type StandingStream = 'control' | 'dispatch';

/** What an observer of the agent hears, for logs and screens. */
export type AgentEvent =
  /** The coordinator accepted the agent. `roundTripMs`: from handshake to its answer. */
  | {
      readonly type: 'connected';
      readonly epoch: number;
      readonly roundTripMs: number;
      /** Leases of the earlier connection that go on. */
      readonly resumedLeases: number;
    }
  /** `willRetryInMs` is undefined when the agent gives up. */
  | {
      readonly type: 'disconnected';
      readonly reason: Failure;
      readonly willRetryInMs: number | undefined;
    }
  | {
      readonly type: 'taskStarted';
      readonly taskId: string;
      readonly taskType: string;
      readonly attempt: number;
    }
  | {
      readonly type: 'taskFinished';
      readonly taskId: string;
      readonly taskType: string;
      readonly attempt: number;
      readonly outcome: 'succeeded' | 'failed' | 'cancelled';
      readonly failure?: Failure;
      readonly computeMs: number;
      readonly waitMs: number;
    }
  /** The coordinator has suggested to compute tasks of a type in another way, and from now on `canaryPercent` of those
   *  whose arm it does not choose itself are computed with `to`, the others with `from`. */
  | {
      readonly type: 'adapted';
      readonly suggestionId: string;
      readonly taskType: string;
      readonly from: Arm;
      readonly to: Arm;
      readonly canaryPercent: number;
    }
  | { readonly type: 'draining'; readonly reason: string }
  /** Everything is finished and acknowledged; the agent has said goodbye. */
  | { readonly type: 'drained' };

/** A task to be run. */
export interface RunnableTask {
  readonly lease: Lease;
  readonly task: AgentTask;
  /** What its handler is told to compute with: not always that of the task. */
  readonly arm: Arm | undefined;
  /** What is known of its type. */
  readonly serviceTime: ServiceTime;
}

/** What the shell does. The lease of all effects on one attempt is the same object. */
export type Effect =
  /** Answered by ConnectionOpened or ConnectionEnded. */
  | { readonly type: 'Connect'; readonly timeoutMs: number }
  /** Opens the dispatch stream; messages for it may follow at once. */
  | { readonly type: 'OpenDispatchStream' }
  | { readonly type: 'Send'; readonly stream: StandingStream; readonly message: Message }
  /** The shell adds load, lag and memory. */
  | {
      readonly type: 'SendHeartbeat';
      readonly sequence: number;
      readonly leases: Lease[];
      readonly lastDispatchSequence: number;
      readonly running: number;
      readonly waiting: number;
    }
  /** Flushes for at most `graceMs`, then closes; answered by ConnectionEnded. */
  | {
      readonly type: 'CloseConnection';
      readonly wireCode: number;
      readonly message: string;
      readonly graceMs: number;
    }
  /** Brings data sets into memory and pins them; answered by DatasetsReady or DatasetsFailed. */
  | { readonly type: 'FetchDatasets'; readonly lease: Lease; readonly datasets: readonly string[] }
  /** Unpins what was fetched for the lease; also ends a fetch that is under way. */
  | { readonly type: 'ReleaseDatasets'; readonly lease: Lease }
  /** Starts the handler; answered by TaskFinished exactly once, and before it by TasksBegun when it takes a while. */
  | ({ readonly type: 'RunTask' } & RunnableTask)
  /** Starts the handlers one after the other, each when the one before has ended; answered as if each were alone, or by
   *  TasksTakenBack. */
  | { readonly type: 'RunTogether'; readonly tasks: readonly RunnableTask[] }
  /** Lets the threads of a shard know what others have proved: no window above this distance matters. */
  | { readonly type: 'ShareBound'; readonly lease: Lease; readonly distance: number }
  /** Tells the handler to stop, terminates its thread after `graceMs`. TaskFinished still follows. */
  | { readonly type: 'AbortTask'; readonly lease: Lease; readonly graceMs: number }
  | { readonly type: 'Notify'; readonly event: AgentEvent }
  /** The agent has ended: in good order, or with the reason why it gave up. */
  | { readonly type: 'Stop'; readonly failure: Failure | undefined };
