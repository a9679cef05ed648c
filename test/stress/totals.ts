/** What a piece of a stress run did. */
export interface Totals {
  connections: number;
  /** Those that continued an earlier session. */
  resumed: number;
  /** Attempts to connect that failed and were repeated. */
  retries: number;
  /** Connections that did not survive the network: a move, or a handshake that took too long. */
  lost: number;
  streams: number;
  resets: number;
  /** Streams that their sender reset and that seemed to end. */
  truncated: number;
  bytes: number;
}
