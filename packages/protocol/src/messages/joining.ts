/** How a process joins: the handshake that opens its control stream, the answer, and the farewell. */
import { Type, type Static } from 'typebox';
import {
  AgentIdText,
  AgentTypeText,
  Count,
  DurationMs,
  Labels,
  Lease,
  Name,
  PositiveCount,
  TaskIdText,
  TaskTypeText,
  Text,
  listOf,
  mapOf,
  oneOf,
  record,
} from '../schema.ts';

/** What a stream is for; the first frame of every stream but the control stream names it. */
export const STREAM_PURPOSES = ['dispatch', 'task', 'dataset', 'client'] as const;
export type StreamPurpose = (typeof STREAM_PURPOSES)[number];

const protocolRange = {
  protocolMin: PositiveCount,
  protocolMax: PositiveCount,
};

/** Agent → coordinator, first frame of the agent's control stream; answered by AgentAck or ErrorReport. */
export const AgentHandshake = record({
  ...protocolRange,
  agentId: AgentIdText,
  agentType: AgentTypeText,
  /** Tasks that the agent computes at the same time. */
  slots: PositiveCount,
  /** The task types for which it has a handler. */
  capabilities: listOf(TaskTypeText),
  labels: Labels,
  /** What the machine has: `{ cores: 8, memoryBytes: 16e9 }`. */
  resources: mapOf(Type.Number()),
  /** Leases of an earlier connection that it still works on or whose results it still has. */
  heldLeases: listOf(Lease),
  /** The token of the earlier connection, when it comes back within the grace period. */
  sessionToken: Type.Optional(Name),
  /** Name and version of the software, for people. */
  software: Type.Optional(Text),
});
export type AgentHandshake = Static<typeof AgentHandshake>;

/** What the coordinator allows on this connection. */
const Grants = record({
  payloadBytesMax: Count,
  datasetBytesMax: Count,
  /** Streams that the joining side may have open at once. */
  streamsMax: Count,
});

/** Coordinator → agent: it is registered. "Connected" means this message, not the transport's handshake. */
export const AgentAck = record({
  protocol: PositiveCount,
  sessionToken: Name,
  epoch: Count,
  /** How often the agent says so while it holds a lease; the first time so long after it was given the first one. */
  heartbeatIntervalMs: DurationMs,
  /** Silence after which either side counts the other as lost while the agent holds a lease. */
  heartbeatTimeoutMs: DurationMs,
  /** The same two while it holds none: a thousand idle agents would keep a coordinator busy with being there. Left out:
   *  no difference is made. */
  idleHeartbeatIntervalMs: Type.Optional(DurationMs),
  idleHeartbeatTimeoutMs: Type.Optional(DurationMs),
  /** How long a lost agent may come back and keep its leases. */
  reconnectGraceMs: DurationMs,
  /** The streams that the agent opens next; `dispatch` always. */
  streams: listOf(oneOf(STREAM_PURPOSES), 8),
  grants: Grants,
  /** Optional parts of the protocol that this coordinator offers. */
  features: listOf(Name),
  /** Of `heldLeases`, those that the coordinator still counts; the agent drops all others. */
  resumedLeases: listOf(Lease),
});
export type AgentAck = Static<typeof AgentAck>;

/** Client → coordinator, first frame of the client's control stream; answered by ClientAck or ErrorReport. */
export const ClientHandshake = record({
  ...protocolRange,
  /** Name of the program, for people. */
  clientName: Name,
  software: Type.Optional(Text),
});
export type ClientHandshake = Static<typeof ClientHandshake>;

/** Coordinator → client: the connection may be used. */
export const ClientAck = record({
  protocol: PositiveCount,
  sessionToken: Name,
  epoch: Count,
  streams: listOf(oneOf(STREAM_PURPOSES), 8),
  grants: Grants,
  features: listOf(Name),
});
export type ClientAck = Static<typeof ClientAck>;

/** First frame of every stream but the control stream, from the side that opened it. */
export const StreamOpen = record({
  purpose: oneOf(STREAM_PURPOSES),
  /** For purpose `task`: the task that the stream carries a message of. */
  taskId: Type.Optional(TaskIdText),
});
export type StreamOpen = Static<typeof StreamOpen>;

/** Agent → coordinator: the task types that it has handlers for have changed. Replaces the list of the handshake. */
export const CapabilityUpdate = record({ capabilities: listOf(TaskTypeText) });
export type CapabilityUpdate = Static<typeof CapabilityUpdate>;

/** Agent or client → coordinator, when the acknowledgement names the feature `compression`: the payload encodings that
 *  the sender decodes. Names that the receiver does not know are ignored. Replaces what was said before. */
export const EncodingOffer = record({ encodings: listOf(Name, 16) });
export type EncodingOffer = Static<typeof EncodingOffer>;

/** Either side, last frame before it closes the connection in good order. An agent has returned its leases before. */
export const Goodbye = record({ reason: Text });
export type Goodbye = Static<typeof Goodbye>;
