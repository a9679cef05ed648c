/**
 * The wire protocol of quic-swarm: what the processes say to each other, and nothing about how the bytes travel or
 * what anybody does about a message. docs/protocol.md is the specification in prose; this package is the same in code.
 *
 * A process reads a stream through {@link MessageReader} and writes {@link framesOf} a message. Both sides of the
 * conversation use {@link MESSAGES} to know who may say what where.
 */
export * from './chain.ts';
export * from './codec.ts';
export * from './documents.ts';
export * from './early-data.ts';
export * from './errors.ts';
export * from './frame-parser.ts';
export { describeMessage, isRoutine, type NameTask } from './describe-message.ts';
export * from './ids.ts';
export * from './limits.ts';
export * from './message-reader.ts';
export * from './message-table.ts';
export * from './payload-encoding.ts';
export * from './stream-urgency.ts';
export * from './table.ts';
export * from './version.ts';
export * from './documents/inputs.ts';
export * from './documents/results.ts';
export * from './documents/series.ts';
export * from './messages/clients.ts';
export * from './messages/health.ts';
export * from './messages/joining.ts';
export * from './messages/learning.ts';
export * from './messages/status.ts';
export * from './messages/task-states.ts';
export * from './messages/tasks.ts';
export type { Arm, Labels, Lease, PayloadEncoding, Shard } from './schema.ts';
export { PAYLOAD_ENCODINGS } from './schema.ts';
