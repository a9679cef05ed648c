/** Everything that can happen to the coordinator. The shell makes events; nothing else reaches the core. */
import type { AgentHandshake, ClientHandshake, Failure, Message } from '@quic-swarm/protocol';
import type { ReasoningBankSnapshot } from '@quic-swarm/reasoning';
import type { JournalRecord } from './journal-records.ts';

/** An agent introduced itself. `sessionToken` is a fresh random one, used if it is accepted. */
export interface AgentJoined {
  readonly type: 'AgentJoined';
  readonly connectionId: string;
  readonly address: string;
  readonly protocol: number;
  readonly sessionToken: string;
  readonly handshake: AgentHandshake;
}

/** A client introduced itself. */
export interface ClientJoined {
  readonly type: 'ClientJoined';
  readonly connectionId: string;
  readonly address: string;
  readonly protocol: number;
  readonly sessionToken: string;
  readonly handshake: ClientHandshake;
}

/** The agent opened the stream on which tasks travel. */
export interface DispatchStreamOpened {
  readonly type: 'DispatchStreamOpened';
  readonly connectionId: string;
}

/** A checked message of a peer that has joined. Its payload, if it has one, is complete. */
export interface MessageReceived {
  readonly type: 'MessageReceived';
  readonly connectionId: string;
  readonly message: Message;
}

/** A connection is gone, however it ended. */
export interface ConnectionEnded {
  readonly type: 'ConnectionEnded';
  readonly connectionId: string;
  readonly reason: string;
  /** This side ended it because of its age: the peer is about to come back on another one. */
  readonly hasExpired?: boolean;
}

/** The shell holds a data set whose hash was checked. */
export interface DatasetStored {
  readonly type: 'DatasetStored';
  readonly datasetId: string;
  readonly bytes: number;
}

/** A peer fetched a data set: an agent will have it in memory. */
export interface DatasetServed {
  readonly type: 'DatasetServed';
  readonly connectionId: string;
  readonly datasetId: string;
}

/** The results of a task's shards are one, or cannot be. */
export interface ShardsMerged {
  readonly type: 'ShardsMerged';
  readonly taskId: string;
  readonly merged:
    | { readonly payload: Uint8Array | undefined; readonly resultType: string | undefined }
    | { readonly failure: Failure };
}

/** Records of earlier lives, in their order: those of the last snapshot first. Before anybody has joined. */
export interface JournalReplayed {
  readonly type: 'JournalReplayed';
  readonly records: readonly JournalRecord[];
}

/** All records of earlier lives were read. */
export interface JournalRestored {
  readonly type: 'JournalRestored';
  /** How many of them lie behind the last snapshot: the next one is due the sooner. @default 0 */
  readonly recordsSinceSnapshot?: number;
}

/** Every record up to the position is on disk. */
export interface JournalCommitted {
  readonly type: 'JournalCommitted';
  readonly position: number;
}

/** The journal cannot be written any more; what is not on disk yet may never be. */
export interface JournalFailed {
  readonly type: 'JournalFailed';
  readonly failure: Failure;
}

/** The journal can be written again; answered by TakeSnapshot, since it lacks what has happened meanwhile. */
export interface JournalReopened {
  readonly type: 'JournalReopened';
}

/** What earlier lives have learnt. Before anybody has joined. */
export interface BankRestored {
  readonly type: 'BankRestored';
  readonly snapshot: ReasoningBankSnapshot;
}

/** What another bank has learnt, of other tasks. It was checked that it fits. */
export interface BankImported {
  readonly type: 'BankImported';
  readonly snapshot: ReasoningBankSnapshot;
}

/** The moment of `nextTimeoutMs()` has come. Harmless when it has not. */
export interface TimePassed {
  readonly type: 'TimePassed';
}

/** Accept nothing new from now on. */
export interface DrainRequested {
  readonly type: 'DrainRequested';
}

/** Any event. */
export type CoordinatorEvent =
  | AgentJoined
  | ClientJoined
  | DispatchStreamOpened
  | MessageReceived
  | ConnectionEnded
  | DatasetStored
  | DatasetServed
  | ShardsMerged
  | JournalReplayed
  | JournalRestored
  | JournalCommitted
  | JournalFailed
  | JournalReopened
  | BankRestored
  | BankImported
  | TimePassed
  | DrainRequested;
