/** How a task gets to an agent and its result back. `lease` fields are spelled out: epoch, taskId, attempt. */
import { Type, type Static } from 'typebox';
import {
  AgentIdText,
  Arm,
  Bytes,
  Count,
  DatasetIdText,
  DurationMs,
  FailureSchema,
  Fraction,
  Lease,
  Name,
  PositiveCount,
  Shard,
  TaskIdText,
  TaskTypeText,
  Text,
  listOf,
  oneOf,
  payloadFields,
  record,
} from '../schema.ts';
import { TUNABLE_ARMS_MAX } from '../limits.ts';
import { Alternative, Prediction } from './learning.ts';

const lease = { epoch: Count, taskId: TaskIdText, attempt: PositiveCount };

/** Coordinator → agent: compute this. Answered by TaskStarted and TaskCompletion, TaskCompletion alone, or MessageAck
 *  REJECTED. */
export const AgentTask = record({
  ...lease,
  /** Rises by one with each AgentTask of this connection; the heartbeat repeats the last one that arrived. */
  dispatchSequence: PositiveCount,
  taskType: TaskTypeText,
  /** Data sets that the payload refers to; the agent has them ready before the handler starts. */
  datasets: listOf(DatasetIdText, 256),
  /** Tasks that have succeeded before and whose results the handler is given, in this order; fetched like data sets. */
  after: Type.Optional(listOf(TaskIdText, 256)),
  /** What is left for this attempt; the agent gives up the handler when it is used up. */
  startToCloseMs: DurationMs,
  /** Parameters that the learner chose for this attempt. */
  arm: Type.Optional(Arm),
  /** Compute only this part of what the input asks for, so that the parts can be merged. */
  shard: Type.Optional(Shard),
  /** The input: one CBOR item. */
  ...payloadFields,
});
export type AgentTask = Static<typeof AgentTask>;

/** Agent → coordinator: a worker has begun. May be left out when TaskCompletion follows at once. */
export const TaskStarted = record({ ...lease });
export type TaskStarted = Static<typeof TaskStarted>;

/** Agent → coordinator: how far it is. Advisory; may be dropped under load. */
export const TaskProgress = record({
  ...lease,
  fraction: Fraction,
  text: Type.Optional(Text),
});
export type TaskProgress = Static<typeof TaskProgress>;

/** Agent → coordinator: a part of the result, before the task is finished. */
export const ResultChunk = record({
  ...lease,
  /** 0 for the first; chunks may overtake each other on streams of their own. */
  sequence: Count,
  /** One CBOR item. */
  ...payloadFields,
});
export type ResultChunk = Static<typeof ResultChunk>;

export const COMPLETION_OUTCOMES = ['succeeded', 'failed', 'cancelled'] as const;

/** Agent → coordinator: the attempt has ended. Repeated after a reconnect until a MessageAck for it arrives. */
export const TaskCompletion = record({
  ...lease,
  outcome: oneOf(COMPLETION_OUTCOMES),
  /** Present unless it succeeded. */
  failure: Type.Optional(FailureSchema),
  /** The document that the payload is, for built-in task types: `PatternMatchResult` … */
  resultType: Type.Optional(Name),
  /** ResultChunks sent before. */
  chunkCount: Count,
  /** Time in the handler, and time between arrival at the agent and start. */
  computeMs: DurationMs,
  waitMs: DurationMs,
  /** The arm that was really used. */
  arm: Type.Optional(Arm),
  /** What the handler has forecast with it, and what other arms would have. */
  predicted: Type.Optional(Prediction),
  alternatives: Type.Optional(listOf(Alternative, TUNABLE_ARMS_MAX)),
  /** The result: one CBOR item. */
  ...payloadFields,
});
export type TaskCompletion = Static<typeof TaskCompletion>;

/** Either side: something failed that is not the outcome of a task. With `requestId` it answers that request; without,
 *  the connection is closed next. */
export const ErrorReport = record({
  requestId: Type.Optional(Count),
  taskId: Type.Optional(TaskIdText),
  failure: FailureSchema,
});
export type ErrorReport = Static<typeof ErrorReport>;

export const ACK_STATUSES = ['RECEIVED', 'PROCESSED', 'STALE', 'REJECTED'] as const;

/** Answers a message by name: a TaskCompletion (PROCESSED, or STALE when its lease is over), an AgentTask (REJECTED), the
 *  end of a durable task (RECEIVED, from a client), or a request that has no reply of its own. */
export const MessageAck = record({
  requestId: Type.Optional(Count),
  /** The durable task whose end was heard of. */
  taskId: Type.Optional(TaskIdText),
  lease: Type.Optional(Lease),
  status: oneOf(ACK_STATUSES),
  failure: Type.Optional(FailureSchema),
});
export type MessageAck = Static<typeof MessageAck>;

/** Client → coordinator (with requestId) and coordinator → agent (with epoch and attempt): stop this task. */
export const CancelTask = record({
  requestId: Type.Optional(Count),
  taskId: TaskIdText,
  epoch: Type.Optional(Count),
  attempt: Type.Optional(PositiveCount),
  reason: Text,
  /** How long the handler may take to stop by itself before its thread is terminated. */
  graceMs: DurationMs,
});
export type CancelTask = Static<typeof CancelTask>;

/** Agent → coordinator: these leases were not started and will not be. Counts against nothing. */
export const LeaseReturn = record({ leases: listOf(Lease), reason: Text });
export type LeaseReturn = Static<typeof LeaseReturn>;

/** Coordinator → agent: give these back if they are not started; answered by LeaseReturn with those given back. */
export const LeaseRecall = record({ leases: listOf(Lease) });
export type LeaseRecall = Static<typeof LeaseRecall>;

/** Agent → coordinator: how many leases it takes at once, slots + ceil(0.1 × slots). An absolute figure: what is free
 *  is computed from the live leases, so it cannot leak. */
export const CreditGrant = record({ credit: Count });
export type CreditGrant = Static<typeof CreditGrant>;

/** Coordinator → agent: finish and leave. Agent → coordinator: I am finishing, send nothing new. */
export const Drain = record({ deadlineMs: DurationMs, reason: Text });
export type Drain = Static<typeof Drain>;

/** Either side, behind a message with `payloadBytes`, on the same stream, in order, until all bytes are there. */
export const PayloadChunk = record({ offset: Count, bytes: Bytes });
export type PayloadChunk = Static<typeof PayloadChunk>;

/**
 * Agent → coordinator: windows above this distance matter to no shard of the task. Without a distance: nothing is known yet,
 * but wanted. Coordinator → agent, under a lease that such a message came under: another shard has proved this. Advisory.
 */
export const ShardBound = record({
  ...lease,
  distance: Type.Optional(Type.Number({ minimum: 0 })),
});
export type ShardBound = Static<typeof ShardBound>;

export const AGENT_ACTIONS = ['cordon', 'drain', 'resume'] as const;

/** Client → coordinator: take an agent out of service or back; answered by MessageAck or ErrorReport. */
export const AgentControl = record({
  requestId: Count,
  agentId: AgentIdText,
  action: oneOf(AGENT_ACTIONS),
  deadlineMs: DurationMs,
});
export type AgentControl = Static<typeof AgentControl>;
