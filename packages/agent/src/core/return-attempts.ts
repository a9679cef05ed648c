/**
 * How an agent tries to come back over a path that may have been cut. Whether it is whole again is known only by trying,
 * and QUIC sends the first datagram of a handshake again after 1 s, 3 s and 7 s (RFC 9002 §6.2.1 and §6.2.2), because it
 * knows nothing of the path. The agent does: it knows how long an answer took before.
 */

/** So many attempts are short; the path may have become slower, so that the later ones have all the time they are given. */
const SHORT_ATTEMPTS = 3;

/** Long enough for a coordinator that has many other agents to greet. */
const SHORT_ATTEMPT_MIN_MS = 750;

/** A handshake takes two round trips, and each may take twice as long as before. */
const ROUND_TRIPS = 4;

/** How long the next attempt may take, after so many that failed. `roundTripMs` is how long joining took before. */
export function attemptTimeoutMs(
  failedAttempts: number,
  roundTripMs: number,
  connectTimeoutMs: number,
): number {
  if (failedAttempts >= SHORT_ATTEMPTS) return connectTimeoutMs;
  return Math.min(connectTimeoutMs, Math.max(SHORT_ATTEMPT_MIN_MS, ROUND_TRIPS * roundTripMs));
}

/** The pause before the next attempt: one that went unanswered for a while has already waited. */
export function pauseAfterMs(backoffMs: number, attemptTookMs: number): number {
  return Math.max(0, backoffMs - attemptTookMs);
}
