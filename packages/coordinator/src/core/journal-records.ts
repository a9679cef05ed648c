/**
 * What is written down of durable tasks, so that the next life of the coordinator knows them.
 *
 * A record says how things are afterwards and not by how much they changed, and it names the attempt that it is about.
 * So a record that is applied twice, or behind an image that is newer than itself, changes nothing: a snapshot may be
 * taken piece by piece while the journal goes on (a fuzzy checkpoint: Mohan et al., "ARIES", ACM TODS 17(1), 1992).
 *
 * Times are wall-clock milliseconds (since 1970): the only thing that two lives have in common.
 */
import {
  type Failure,
  type PayloadEncoding,
  type SubmitTask,
  type TerminalTaskState,
} from '@quic-swarm/protocol';
import type { Idempotency, KeptLease } from './task.ts';

/** A submission as it is kept: without what was only for the connection that it came on. */
export type KeptSubmission = Omit<SubmitTask, 'requestId' | 'watch'>;

/** How a task ended. */
export interface TaskEnd {
  readonly state: TerminalTaskState;
  readonly attempt: number;
  readonly agentId: string | undefined;
  readonly failure: Failure | undefined;
  readonly deadLettered: boolean;
  readonly endedAtMs: number;
  readonly firstStartedAtMs: number | undefined;
  readonly computeMs: number | undefined;
  readonly payload: Uint8Array | undefined;
  readonly payloadEncoding: PayloadEncoding | undefined;
  readonly resultType: string | undefined;
  /** Parts that were sent before the result. They are not kept, but whoever has not heard all should know it. */
  readonly chunkCount: number;
}

/** A whole task: written when it is accepted, and again in every snapshot. */
export interface TaskRecord {
  readonly kind: 'task';
  readonly submission: KeptSubmission;
  readonly idempotency: Idempotency | undefined;
  readonly replayOf: string | undefined;
  readonly clientName: string;
  /** Order of acceptance. */
  readonly order: number;
  readonly acceptedAtMs: number;
  readonly attempt: number;
  readonly errors: number;
  readonly losses: number;
  readonly failure: Failure | undefined;
  readonly cancelRequested: string | undefined;
  readonly firstStartedAtMs: number | undefined;
  /** When its delay or back-off is over. */
  readonly releaseAtMs: number | undefined;
  /** When it must have been started, and when it must have ended. */
  readonly startByMs: number | undefined;
  readonly endByMs: number | undefined;
  readonly lease: KeptLease | undefined;
  readonly end: TaskEnd | undefined;
  /** Somebody has heard of its end. */
  readonly isAcknowledged: boolean;
}

/** An agent was given the task. */
export interface LeasedRecord extends KeptLease {
  readonly kind: 'leased';
  readonly taskId: string;
}

/** A task that has a time limit for its start was started for the first time. */
export interface StartedRecord {
  readonly kind: 'started';
  readonly taskId: string;
  readonly firstStartedAtMs: number;
}

/** The attempt is over and another one will follow. */
export interface RequeuedRecord {
  readonly kind: 'requeued';
  readonly taskId: string;
  readonly attempt: number;
  readonly errors: number;
  readonly losses: number;
  readonly failure: Failure | undefined;
  readonly releaseAtMs: number | undefined;
}

/** Somebody wants the task to stop. */
export interface CancelRequestedRecord {
  readonly kind: 'cancelRequested';
  readonly taskId: string;
  readonly reason: string;
}

/** The task has reached its final state. */
export interface EndedRecord {
  readonly kind: 'ended';
  readonly taskId: string;
  readonly end: TaskEnd;
}

/** Those who waited for the task have heard of its end: it need not be kept for them. */
export interface AcknowledgedRecord {
  readonly kind: 'acknowledged';
  readonly taskId: string;
}

/** The task is known no more: it was never acknowledged, or was dropped on demand. */
export interface ForgottenRecord {
  readonly kind: 'forgotten';
  readonly taskId: string;
}

/** Any record. */
export type JournalRecord =
  | TaskRecord
  | LeasedRecord
  | StartedRecord
  | RequeuedRecord
  | CancelRequestedRecord
  | EndedRecord
  | AcknowledgedRecord
  | ForgottenRecord;
