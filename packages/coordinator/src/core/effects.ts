/** Everything that the coordinator wants done. The shell carries effects out, in order. */
import type { ErrorType, Failure, Message, TerminalTaskState } from '@quic-swarm/protocol';
import type { JournalRecord } from './journal-records.ts';
import type { ShardResult } from './task.ts';

/** Write a message to the peer, on one of its shared streams or, when its payload is long, on a stream of its own. */
export interface Send {
  readonly type: 'Send';
  readonly connectionId: string;
  readonly on: 'control' | 'dispatch' | 'client';
  readonly message: Message;
}

/** Close the connection; without an error type, in good order. */
export interface Close {
  readonly type: 'Close';
  readonly connectionId: string;
  readonly errorType: ErrorType | undefined;
  readonly message: string;
}

/** Forget the bytes of a data set. */
export interface DropDataset {
  readonly type: 'DropDataset';
  readonly datasetId: string;
}

/** Make one result of those of all shards, in their order; answered by ShardsMerged. */
export interface MergeShards {
  readonly type: 'MergeShards';
  readonly taskId: string;
  readonly taskType: string;
  readonly results: readonly ShardResult[];
  readonly resultType: string | undefined;
  /** All attempts of all shards. */
  readonly attempts: number;
}

/** Append a record to the journal, behind those before it; answered by JournalCommitted when it is on disk. */
export interface AppendJournal {
  readonly type: 'AppendJournal';
  readonly position: number;
  readonly record: JournalRecord;
}

/**
 * Write a snapshot of `CoordinatorCore.snapshot()`, and drop what the journal said before. It stands for every record up to
 * the position; it may be read bit by bit while others are appended, but is complete only when those appended up to its
 * end are on disk as well.
 */
export interface TakeSnapshot {
  readonly type: 'TakeSnapshot';
  readonly position: number;
}

// What follows is said for whoever observes: statistics and the log.

/** A task was accepted. */
export interface TaskAccepted {
  readonly type: 'TaskAccepted';
  readonly taskId: string;
  readonly taskType: string;
}

/** One attempt at an agent is over. */
export interface AttemptEnded {
  readonly type: 'AttemptEnded';
  readonly taskId: string;
  readonly taskType: string;
  readonly agentId: string;
  readonly attempt: number;
  /** An attempt before has gone wrong. */
  readonly isRetry: boolean;
  readonly outcome: 'succeeded' | 'failed' | 'cancelled' | 'lost' | 'returned' | 'timed_out';
  readonly computeMs: number;
  readonly failure: Failure | undefined;
}

/** A task has reached its final state. */
export interface TaskEnded {
  readonly type: 'TaskEnded';
  readonly taskId: string;
  readonly taskType: string;
  readonly agentId: string | undefined;
  readonly state: TerminalTaskState;
  readonly attempt: number;
  /** Tries after the first: what was given back before it began is none. */
  readonly retries: number;
  readonly queueMs: number;
  readonly computeMs: number;
  readonly totalMs: number;
  readonly failure: Failure | undefined;
}

/** A completion came for a lease that is over. */
export interface StaleCompletionDropped {
  readonly type: 'StaleCompletionDropped';
  readonly taskId: string;
  readonly agentId: string;
  readonly attempt: number;
}

/** An agent came, changed or went. */
export interface AgentChanged {
  readonly type: 'AgentChanged';
  readonly agentId: string;
  readonly agentType: string;
  readonly address: string;
  readonly change:
    | 'joined'
    | 'resumed'
    | 'suspect'
    | 'recovered'
    | 'lost'
    | 'left'
    | 'cordoned'
    | 'draining'
    | 'resumed-service';
  readonly reason: string;
}

/** Agents were told to use other parameters, or the former ones again. */
export interface ArmSuggested {
  readonly type: 'ArmSuggested';
  readonly taskType: string;
  readonly fromArmId: string;
  readonly toArmId: string;
  /** Of the tasks; 100 is all. */
  readonly canaryPercent: number;
  readonly isRollback: boolean;
  readonly explanation: string;
}

/** A request was refused or a peer was turned away. */
export interface Refused {
  readonly type: 'Refused';
  readonly connectionId: string;
  readonly failure: Failure;
}

/** Any effect. */
export type CoordinatorEffect =
  | Send
  | Close
  | DropDataset
  | MergeShards
  | AppendJournal
  | TakeSnapshot
  | TaskAccepted
  | AttemptEnded
  | TaskEnded
  | StaleCompletionDropped
  | AgentChanged
  | ArmSuggested
  | Refused;
