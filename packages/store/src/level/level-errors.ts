/** What LevelDB and the file system have to say, as errors of the store. */
import { isSwarmError, SwarmError } from '@quic-swarm/protocol';
import { closedError, corrupt, locked } from '../failures.ts';

/** LevelDB gives the system's words only, and those differ between systems. */
const NO_SPACE = /no space left|enospc|disk quota exceeded|edquot|not enough space|disk is full/i;

/** The error of the store for one of LevelDB or of the file system, while it did something in the folder. */
export function fromLevelError(error: unknown, folder: string): SwarmError {
  if (isSwarmError(error)) return error;
  const { codes, message } = describe(error);
  if (codes.includes('LEVEL_LOCKED')) return locked(folder, error);
  if (codes.includes('LEVEL_CORRUPTION')) return corrupt(`${folder}: ${message}`, error);
  if (NO_SPACE.test(message)) {
    return new SwarmError('STORE_FULL', `The disk of the store ${folder} is full: ${message}`, {
      hint: 'Make room on the disk: a coordinator that runs goes on by itself then. Nothing that was acknowledged is lost.',
      cause: error,
    });
  }
  // LevelDB is asked for nothing after it was closed but the rest of what somebody was reading.
  if (codes.some((code) => code.endsWith('_NOT_OPEN'))) return closedError();
  return new SwarmError('STORE_FAILED', `The store ${folder} failed: ${message}`, {
    hint: 'Look after the disk and the permissions of the folder: a coordinator that runs goes on by itself then. Nothing that was acknowledged is lost.',
    cause: error,
  });
}

/** The innermost error has the words of the system; the outer ones say that the database could not be opened. */
function describe(error: unknown): { codes: string[]; message: string } {
  const codes: string[] = [];
  let message = String(error);
  for (let at = error; at instanceof Error; at = at.cause) {
    message = at.message;
    if ('code' in at && typeof at.code === 'string') codes.push(at.code);
  }
  return { codes, message };
}
