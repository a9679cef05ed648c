/** Which messages may be acted on before the handshake of their connection is complete (0-RTT). */
import type { MessageType } from './message-table.ts';

/**
 * Messages that do no harm when somebody who recorded them sends them again (RFC 8446 §8, RFC 9001 §9.2): they
 * introduce a client or ask something. A receiver keeps every other message, and all that follow it, until the
 * handshake is complete. AgentHandshake is not among them: a replayed one would take the place of the real agent.
 */
export const EARLY_DATA_MESSAGES: ReadonlySet<MessageType> = new Set<MessageType>([
  'ClientHandshake',
  'StreamOpen',
  'QueryStatus',
  'QueryDataset',
  'WatchTask',
]);
