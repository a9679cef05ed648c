/**
 * How connections and streams end, as data: one place says which error of the table each ending becomes, so that
 * both transports answer alike.
 */
import {
  ERRORS,
  errorTypeOfWireCode,
  NO_ERROR_WIRE_CODE,
  SwarmError,
  type ErrorType,
} from '@quic-swarm/protocol';
import type { CloseReason, ConnectionClosed } from './contract.ts';

/** The reason of a close without one. */
export const NOTHING_WRONG: CloseReason = { wireCode: NO_ERROR_WIRE_CODE, message: '' };

/** `write` returns false while more than this is queued on a stream. */
export const HIGH_WATER_BYTES: number = 1024 * 1024;

/** `drained()` resolves once no more than this is queued on a stream. */
export const LOW_WATER_BYTES: number = 256 * 1024;

/** A reason must fit in one packet of 1,200 bytes beside everything else. */
const REASON_BYTES_MAX = 512;

/** The reason with a message of at most 512 bytes of UTF-8. */
export function boundReason(reason: CloseReason): CloseReason {
  const bytes = Buffer.from(reason.message);
  if (bytes.length <= REASON_BYTES_MAX) return reason;
  // Cutting may split a character: the rest of it reads as U+FFFD, which is dropped.
  const message = bytes.toString('utf8', 0, REASON_BYTES_MAX).replace(/\uFFFD+$/u, '');
  return { wireCode: reason.wireCode, message };
}

/** This side ended the connection. */
export function endedLocally(reason: CloseReason): ConnectionClosed {
  const error = new SwarmError('CLOSED_LOCALLY', `This side closed the connection${why(reason)}.`);
  return { by: 'local', ...reason, error };
}

/** A listener ended the connection because it is worn out: the peer should make a new one. */
export function endedAsExpired(message: string): ConnectionClosed {
  return endedLocally({ wireCode: ERRORS.CONNECTION_EXPIRED.wireCode, message });
}

/** The application of the peer ended the connection; the error has the type of its wire code, if that is known. */
export function endedByPeer(reason: CloseReason): ConnectionClosed {
  const type = errorTypeOfWireCode(reason.wireCode) ?? 'CONNECTION_LOST';
  const error = new SwarmError(type, `The peer closed the connection${why(reason)}.`);
  return { by: 'peer', ...reason, error };
}

/** The peer fell silent. */
export function endedInSilence(message: string): ConnectionClosed {
  const error = new SwarmError('IDLE_TIMEOUT', message);
  return { by: 'timeout', wireCode: ERRORS.IDLE_TIMEOUT.wireCode, message, error };
}

/** QUIC or TLS, here or at the peer, ended the connection. */
export function endedByTransport(
  type: ErrorType,
  message: string,
  hint?: string,
): ConnectionClosed {
  const error = new SwarmError(type, message, hint === undefined ? {} : { hint });
  return { by: 'transport', wireCode: ERRORS[type].wireCode, message, error };
}

/** The peer reset a stream. The error has the type of the wire code where the table knows it, else STREAM_RESET. */
export function streamReset(streamId: number, wireCode: number | undefined): SwarmError {
  const type = wireCode === undefined ? undefined : errorTypeOfWireCode(wireCode);
  const code = wireCode === undefined ? '' : ` with code 0x${wireCode.toString(16)}`;
  const when = type === undefined ? '' : `: ${ERRORS[type].when}`;
  return new SwarmError(type ?? 'STREAM_RESET', `The peer reset stream ${streamId}${code}${when}`);
}

/** What an operation on a stream gets that this side reset. */
export function streamResetLocally(streamId: number, reason: CloseReason): SwarmError {
  return new SwarmError('CLOSED_LOCALLY', `This side reset stream ${streamId}${why(reason)}.`);
}

/** What `write` throws after `end`. */
export function writeAfterEnd(streamId: number): SwarmError {
  return new SwarmError('CLOSED', `Stream ${streamId} was written to after its end.`);
}

/** @throws BAD_OPTION unless it is one of QUIC's priorities (RFC 9218 has eight of them, quiche 256). */
export function assertUrgency(urgency: number): void {
  if (Number.isInteger(urgency) && urgency >= 0 && urgency <= 255) return;
  throw new SwarmError('BAD_OPTION', `An urgency is an integer from 0 to 255, not ${urgency}.`);
}

/** Runs a callback of the application. What it throws becomes an uncaught exception instead of broken state here. */
export function callApplication(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

function why({ wireCode, message }: CloseReason): string {
  const type = errorTypeOfWireCode(wireCode);
  const words = [type, message].filter((word) => word !== undefined && word !== '').join(', ');
  return words === '' ? '' : `: ${words}`.replace(/\.$/, '');
}
