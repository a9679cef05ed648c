/**
 * The exit codes of every command: the words of BSD's sysexits where they fit, 1 for "the task itself failed" and
 * 128 + signal as every shell does. A script can tell "wrong flag" from "nobody there" without reading a text.
 */
import type { ErrorType, StatusCode } from '@quic-swarm/protocol';

/** What a command may answer to the shell. */
export const EXIT = {
  ok: 0,
  /** A task ran and failed, was cancelled by somebody else, or what was asked for does not exist. */
  failed: 1,
  /** The command line or a file that it names is wrong. */
  usage: 64,
  /** Nobody there: no coordinator at the address, or the connection was lost. */
  unavailable: 69,
  /** A bug in quic-swarm. */
  internal: 70,
  /** A port, an agent id or a file cannot be taken. */
  cannotCreate: 73,
  /** Try again later: queue full, time is over. */
  temporary: 75,
  /** The certificate, or who the peer is. */
  permission: 77,
  /** The two sides are set up so that they do not fit together. */
  configuration: 78,
  /** Ended by SIGINT (Ctrl-C). */
  interrupted: 130,
  /** Ended by SIGTERM before it was done. */
  terminated: 143,
} as const;

/** One of the values of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Every error type of the system. The compiler reports an entry that is missing when the protocol gains a type. */
const EXIT_CODE_OF_TYPE: Readonly<Record<ErrorType, ExitCode>> = {
  BAD_FRAME: EXIT.internal,
  FRAME_TOO_LARGE: EXIT.internal,
  BAD_MESSAGE: EXIT.internal,
  UNEXPECTED_MESSAGE: EXIT.internal,
  BAD_ENCODING: EXIT.internal,
  VERSION_MISMATCH: EXIT.configuration,
  HANDSHAKE_TIMEOUT: EXIT.unavailable,
  BAD_CERTIFICATE: EXIT.permission,
  SESSION_UNKNOWN: EXIT.permission,
  DUPLICATE_AGENT: EXIT.cannotCreate,
  CONNECT_FAILED: EXIT.unavailable,
  CONNECTION_LOST: EXIT.unavailable,
  CONNECTION_EXPIRED: EXIT.unavailable,
  IDLE_TIMEOUT: EXIT.unavailable,
  STREAM_RESET: EXIT.unavailable,
  CLOSED_LOCALLY: EXIT.internal,
  ADDRESS_IN_USE: EXIT.cannotCreate,
  BAD_ADDRESS: EXIT.usage,
  QUEUE_FULL: EXIT.temporary,
  CREDIT_EXCEEDED: EXIT.temporary,
  PAYLOAD_TOO_LARGE: EXIT.usage,
  TOO_MANY_CONNECTIONS: EXIT.temporary,
  DATASETS_FULL: EXIT.temporary,
  BAD_INPUT: EXIT.usage,
  UNKNOWN_TASK_TYPE: EXIT.failed,
  TASK_FAILED: EXIT.failed,
  TASK_TIMEOUT: EXIT.temporary,
  START_TIMEOUT: EXIT.temporary,
  DEADLINE_PASSED: EXIT.temporary,
  TASK_CANCELLED: EXIT.failed,
  WORKER_CRASHED: EXIT.failed,
  AGENT_LOST: EXIT.failed,
  TASK_NOT_FOUND: EXIT.failed,
  TASK_EXISTS: EXIT.failed,
  DATASET_NOT_FOUND: EXIT.failed,
  EXPERIENCE_NOT_FOUND: EXIT.failed,
  OUTCOME_EXISTS: EXIT.failed,
  DATASET_CORRUPT: EXIT.failed,
  AGENT_NOT_FOUND: EXIT.failed,
  UNSUPPORTED_OPTION: EXIT.configuration,
  DEPENDENCY_FAILED: EXIT.failed,
  STORE_LOCKED: EXIT.cannotCreate,
  STORE_FULL: EXIT.temporary,
  STORE_FAILED: EXIT.temporary,
  STORE_CORRUPT: EXIT.failed,
  STORE_FENCED: EXIT.failed,
  STORE_TOO_NEW: EXIT.configuration,
  DRAINING: EXIT.unavailable,
  CLOSED: EXIT.internal,
  BAD_OPTION: EXIT.usage,
  INTERNAL: EXIT.internal,
};

/** The exit code for an error that ended a command. Errors of a user's handler are a failed task. */
export function exitCodeOf(error: { readonly type: string; readonly code: StatusCode }): ExitCode {
  if (isKnownType(error.type)) return EXIT_CODE_OF_TYPE[error.type];
  return error.code === 'INTERNAL' ? EXIT.internal : EXIT.failed;
}

/** The exit code for a task that reached its end. */
export function exitCodeOfState(state: string): ExitCode {
  if (state === 'succeeded') return EXIT.ok;
  return state === 'timed_out' ? EXIT.temporary : EXIT.failed;
}

function isKnownType(type: string): type is ErrorType {
  return Object.hasOwn(EXIT_CODE_OF_TYPE, type);
}
