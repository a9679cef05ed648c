/** What `swarm status`, `swarm agents` and `swarm tasks` show. */
import { Type, type Static } from 'typebox';
import {
  AgentIdText,
  AgentTypeText,
  Count,
  DurationMs,
  FailureSchema,
  Fraction,
  Labels,
  Name,
  Shard,
  TaskIdText,
  TaskTypeText,
  Text,
  listOf,
  mapOf,
  oneOf,
  record,
} from '../schema.ts';
import { AGENT_STATES, PENDING_REASONS, TASK_STATES } from './task-states.ts';

/** A distribution of durations; zero where nothing was measured. */
const Percentiles = record({
  p50Ms: DurationMs,
  p90Ms: DurationMs,
  p99Ms: DurationMs,
  maxMs: DurationMs,
});

/** What was counted for one task type or one agent. */
const WorkStatistics = record({
  succeeded: Count,
  failed: Count,
  cancelled: Count,
  timedOut: Count,
  /** Attempts beyond the first. */
  retried: Count,
  /** succeeded / (succeeded + failed + timedOut); absent before the first end. */
  successRate: Type.Optional(Fraction),
  /** Time in the handler. */
  compute: Percentiles,
  /** From acceptance to the end. */
  total: Percentiles,
});

/** The coordinator as a whole. */
export const StatusSummary = record({
  software: Text,
  protocol: Count,
  epoch: Count,
  uptimeMs: DurationMs,
  address: Text,
  memoryBytes: Count,
  eventLoopLagMs: DurationMs,
  connections: record({ agents: Count, clients: Count, handshaking: Count, acceptedInAll: Count }),
  messages: record({ received: Count, sent: Count, byType: mapOf(Count) }),
  bytes: record({ received: Count, sent: Count }),
  errorsByType: mapOf(Count),
  tasks: record({
    submitted: Count,
    byState: mapOf(Count),
    /** Queued and waiting tasks by reason. */
    byPendingReason: mapOf(Count),
    queuedBytes: Count,
    oldestQueuedMs: DurationMs,
    staleCompletions: Count,
    deadLetters: Count,
  }),
  byTaskType: mapOf(WorkStatistics),
  datasets: record({ count: Count, bytes: Count }),
  /** Of a coordinator with durable tasks. */
  journal: Type.Optional(
    record({
      /** Records since the last snapshot: what the next start reads beside it. */
      recordsSinceSnapshot: Count,
      /** Results that are kept until somebody has heard of them. */
      unclaimed: Count,
      /** Present while nothing can be written. */
      failure: Type.Optional(FailureSchema),
    }),
  ),
  experiences: record({ recorded: Count, resolved: Count }),
});
export type StatusSummary = Static<typeof StatusSummary>;

/** One agent. */
export const AgentRow = record({
  agentId: AgentIdText,
  agentType: AgentTypeText,
  state: oneOf(AGENT_STATES),
  address: Text,
  capabilities: listOf(TaskTypeText),
  labels: Labels,
  slots: Count,
  credit: Count,
  leases: Count,
  running: Count,
  connectedForMs: DurationMs,
  lastHeardMs: DurationMs,
  roundTripMs: DurationMs,
  eventLoopLagMs: DurationMs,
  memoryBytes: Count,
  datasets: Count,
  /** Moving average of the time in the handler. */
  serviceTimeMs: DurationMs,
  work: WorkStatistics,
});
export type AgentRow = Static<typeof AgentRow>;

/** One task. */
export const TaskRow = record({
  taskId: TaskIdText,
  taskType: TaskTypeText,
  state: oneOf(TASK_STATES),
  pendingReason: Type.Optional(oneOf(PENDING_REASONS)),
  /** Agents that are connected / of the type / able / free, counted when the reason was found. */
  candidates: Type.Optional(
    record({ connected: Count, ofType: Count, capable: Count, free: Count }),
  ),
  /** Place in the queue, 1 is next. */
  position: Type.Optional(Count),
  priority: Count,
  attempt: Count,
  deliveries: Count,
  agentId: Type.Optional(AgentIdText),
  cancelRequested: Type.Boolean(),
  ageMs: DurationMs,
  fraction: Type.Optional(Fraction),
  failure: Type.Optional(FailureSchema),
  deadLettered: Type.Boolean(),
  /** It survives a restart of the coordinator. */
  durable: Type.Boolean(),
  /** Tasks that it comes after and that have not ended. */
  waitsFor: Type.Optional(Count),
  /** The dead letter that this task was made of. */
  replayOf: Type.Optional(TaskIdText),
  submittedBy: Type.Optional(Name),
  /** Of a task that was split: its parts by where they are, and all their attempts. */
  shards: Type.Optional(
    record({ count: Count, running: Count, succeeded: Count, attempts: Count }),
  ),
  /** Of such a part. */
  shard: Type.Optional(Shard),
});
export type TaskRow = Static<typeof TaskRow>;
