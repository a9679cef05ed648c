/** Signs of life. */
import { Type, type Static } from 'typebox';
import { Count, DurationMs, Fraction, Lease, listOf, record } from '../schema.ts';

/** Agent → coordinator on the control stream, every heartbeatIntervalMs while it holds a lease and every
 *  idleHeartbeatIntervalMs otherwise; answered by HeartbeatAck. */
export const HeartbeatMessage = record({
  sequence: Count,
  /** Every lease held: waiting, running, and finished ones whose completion is not acknowledged. The coordinator
   *  compares it with its own and repairs differences. */
  leases: listOf(Lease),
  /** Every AgentTask with a dispatchSequence up to this number has arrived; 0 before the first. Not the highest one
   *  seen: a large task on a stream of its own may arrive after later small ones. */
  lastDispatchSequence: Count,
  running: Count,
  waiting: Count,
  /** Longest stall of the event loop since the last heartbeat. */
  eventLoopLagMs: DurationMs,
  memoryBytes: Count,
  /** Share of all cores that the process used since the last heartbeat. */
  cpuLoad: Type.Optional(Fraction),
});
export type HeartbeatMessage = Static<typeof HeartbeatMessage>;

/** Coordinator → agent: heard. The agent measures the round trip by it and notices a coordinator that fell silent. */
export const HeartbeatAck = record({ sequence: Count });
export type HeartbeatAck = Static<typeof HeartbeatAck>;
