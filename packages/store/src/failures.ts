/** The errors of a store, made in one place so that the same thing is always said in the same words. */
import { SwarmError } from '@quic-swarm/protocol';

/** STORE_CORRUPT: what is wrong, in a clause that continues "the store is damaged:". */
export function corrupt(what: string, cause?: unknown): SwarmError {
  return new SwarmError('STORE_CORRUPT', `The store is damaged: ${what}.`, {
    hint: 'Restore the store from a copy, or move its folder away to begin an empty one.',
    cause,
  });
}

/** CLOSED: something was asked of a store after its `close`. */
export function closedError(): SwarmError {
  return new SwarmError('CLOSED', 'The store was closed before it was used.', {
    hint: 'Open it again.',
  });
}

/** BAD_OPTION with what was wrong and, where it helps, what to do. */
export function badOption(message: string, hint?: string): SwarmError {
  return new SwarmError('BAD_OPTION', message, hint === undefined ? {} : { hint });
}

/** PAYLOAD_TOO_LARGE: something has more bytes than it may have. */
export function tooLarge(what: string, bytes: number, bytesMax: number): SwarmError {
  return new SwarmError(
    'PAYLOAD_TOO_LARGE',
    `${what} has ${bytes} bytes; at most ${bytesMax} may be stored at once.`,
    { hint: 'Store it in several parts.' },
  );
}

/** STORE_LOCKED: somebody else has it open. */
export function locked(where: string, cause?: unknown): SwarmError {
  return new SwarmError('STORE_LOCKED', `The store ${where} is open in another process.`, {
    hint: 'Stop the other coordinator, or give this one a folder of its own.',
    cause,
  });
}
