/**
 * Errors are data. An `Error` object loses its class and code when it crosses a thread or the wire, so at every
 * border an error travels as a {@link Failure} and code asks for `error.type`, never for `instanceof`.
 *
 * Two names per error: `code` is one of gRPC's canonical status names (what kind of trouble, what to do about it in
 * general), `type` is the stable name of the very case. The table {@link ERRORS} is the only place where a type
 * gets its code, its number on the wire and its default answer to "is it worth trying again?".
 */

import { STACK_LENGTH_MAX, TEXT_LENGTH_MAX } from './limits.ts';

const MESSAGE_LENGTH_MAX = TEXT_LENGTH_MAX;
const TYPE_LENGTH_MAX = 64;

/** gRPC's canonical status names, without OK. https://grpc.io/docs/guides/status-codes/ */
export const STATUS_CODES = [
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** One of {@link STATUS_CODES}. */
export type StatusCode = (typeof STATUS_CODES)[number];

interface ErrorRow {
  readonly code: StatusCode;
  /** The application error code in QUIC's CONNECTION_CLOSE, RESET_STREAM and STOP_SENDING frames. */
  readonly wireCode: number;
  readonly retryable: boolean;
  /** One sentence: when it happens. */
  readonly when: string;
}

/** All errors that the system itself raises. A handler's own errors have types of their own and code UNKNOWN. */
export const ERRORS = {
  // 0x10x: the peer broke the protocol. The connection is closed with the code.
  BAD_FRAME: row('INVALID_ARGUMENT', 0x101, false, 'A frame has an unknown type or ends early.'),
  FRAME_TOO_LARGE: row(
    'RESOURCE_EXHAUSTED',
    0x102,
    false,
    'A frame claims more bytes than its type may have.',
  ),
  BAD_MESSAGE: row(
    'INVALID_ARGUMENT',
    0x103,
    false,
    'A frame body is no CBOR, or not what its schema says.',
  ),
  UNEXPECTED_MESSAGE: row(
    'FAILED_PRECONDITION',
    0x104,
    false,
    'A message came on a stream or at a time where it has no place.',
  ),
  VERSION_MISMATCH: row(
    'FAILED_PRECONDITION',
    0x105,
    false,
    'No protocol version is known to both sides.',
  ),
  HANDSHAKE_TIMEOUT: row(
    'DEADLINE_EXCEEDED',
    0x106,
    true,
    'The peer connected but did not introduce itself in time.',
  ),
  BAD_ENCODING: row(
    'INVALID_ARGUMENT',
    0x107,
    false,
    'An encoded payload is not what it claims, or its encoding was not agreed on.',
  ),
  // 0x11x: who the peer is.
  BAD_CERTIFICATE: row(
    'UNAUTHENTICATED',
    0x110,
    false,
    'The certificate of the peer is not the expected one.',
  ),
  SESSION_UNKNOWN: row(
    'UNAUTHENTICATED',
    0x111,
    true,
    'The session token is not (or no longer) known.',
  ),
  DUPLICATE_AGENT: row('ALREADY_EXISTS', 0x112, false, 'An agent with this id is connected.'),
  // 0x12x: the path between two processes.
  CONNECT_FAILED: row('UNAVAILABLE', 0x120, true, 'No peer answered at the address in time.'),
  CONNECTION_LOST: row(
    'UNAVAILABLE',
    0x121,
    true,
    'The connection ended without a word of the peer.',
  ),
  IDLE_TIMEOUT: row(
    'UNAVAILABLE',
    0x122,
    true,
    'Nothing was heard from the peer for the idle timeout.',
  ),
  STREAM_RESET: row('ABORTED', 0x123, true, 'The peer ended a stream before it was complete.'),
  CLOSED_LOCALLY: row('CANCELLED', 0x124, false, 'This side closed it before.'),
  ADDRESS_IN_USE: row(
    'FAILED_PRECONDITION',
    0x125,
    false,
    'Another process listens on the UDP port.',
  ),
  BAD_ADDRESS: row('INVALID_ARGUMENT', 0x126, false, 'An address is not of the form HOST:PORT.'),
  CONNECTION_EXPIRED: row(
    'UNAVAILABLE',
    0x127,
    true,
    'The connection has reached its greatest age: connect again.',
  ),
  // 0x13x: capacity. Nothing was accepted; ask again later.
  QUEUE_FULL: row(
    'RESOURCE_EXHAUSTED',
    0x130,
    true,
    'The queue has reached its bound in tasks or bytes.',
  ),
  CREDIT_EXCEEDED: row(
    'RESOURCE_EXHAUSTED',
    0x131,
    true,
    'An agent was given more tasks than it granted credit for.',
  ),
  PAYLOAD_TOO_LARGE: row(
    'RESOURCE_EXHAUSTED',
    0x132,
    false,
    'An input, result or data set is over its bound.',
  ),
  TOO_MANY_CONNECTIONS: row(
    'RESOURCE_EXHAUSTED',
    0x133,
    true,
    'The listener has reached its bound of connections.',
  ),
  DATASETS_FULL: row(
    'RESOURCE_EXHAUSTED',
    0x134,
    true,
    'No room for another data set: those present are in use.',
  ),
  // 0x14x: tasks.
  BAD_INPUT: row(
    'INVALID_ARGUMENT',
    0x140,
    false,
    'The input of a task is not what its type needs.',
  ),
  UNKNOWN_TASK_TYPE: row(
    'UNIMPLEMENTED',
    0x141,
    false,
    'The agent has no handler for the task type.',
  ),
  TASK_FAILED: row('UNKNOWN', 0x142, true, 'The handler threw an error.'),
  TASK_TIMEOUT: row(
    'DEADLINE_EXCEEDED',
    0x143,
    true,
    'One attempt ran longer than startToCloseMs.',
  ),
  START_TIMEOUT: row(
    'DEADLINE_EXCEEDED',
    0x144,
    false,
    'The task was not started within scheduleToStartMs.',
  ),
  DEADLINE_PASSED: row(
    'DEADLINE_EXCEEDED',
    0x145,
    false,
    'The task was not finished within scheduleToCloseMs.',
  ),
  TASK_CANCELLED: row('CANCELLED', 0x146, false, 'Somebody asked for the task to be cancelled.'),
  WORKER_CRASHED: row('ABORTED', 0x147, true, 'The worker thread that ran the task ended.'),
  AGENT_LOST: row('UNAVAILABLE', 0x148, true, 'The agent that held the task was lost too often.'),
  TASK_NOT_FOUND: row('NOT_FOUND', 0x149, false, 'No task with this id is known.'),
  TASK_EXISTS: row(
    'ALREADY_EXISTS',
    0x14a,
    false,
    'The task id or idempotency key belongs to another task.',
  ),
  DATASET_NOT_FOUND: row(
    'NOT_FOUND',
    0x14b,
    false,
    'A task names a data set that was not uploaded.',
  ),
  DATASET_CORRUPT: row(
    'DATA_LOSS',
    0x14c,
    false,
    'The bytes of a data set do not have the hash that names it.',
  ),
  AGENT_NOT_FOUND: row('NOT_FOUND', 0x14d, false, 'No agent with this id is known.'),
  UNSUPPORTED_OPTION: row(
    'UNIMPLEMENTED',
    0x14e,
    false,
    'The coordinator does not offer a feature that the request needs.',
  ),
  DEPENDENCY_FAILED: row(
    'FAILED_PRECONDITION',
    0x14f,
    false,
    'A task that was to succeed before has ended in another way.',
  ),
  // 0x15x: the state of this process.
  DRAINING: row(
    'UNAVAILABLE',
    0x150,
    true,
    'The process finishes what it has and takes nothing new.',
  ),
  CLOSED: row('FAILED_PRECONDITION', 0x151, false, 'The object was closed before it was used.'),
  BAD_OPTION: row('INVALID_ARGUMENT', 0x152, false, 'An option has a value that it cannot have.'),
  INTERNAL: row('INTERNAL', 0x153, false, 'A bug in quic-swarm.'),
  // 0x16x: the store of the coordinator.
  STORE_LOCKED: row('FAILED_PRECONDITION', 0x160, false, 'Another process has the store open.'),
  STORE_FULL: row(
    'RESOURCE_EXHAUSTED',
    0x161,
    true,
    'The disk of the store is full; the store has closed itself.',
  ),
  STORE_FAILED: row(
    'UNAVAILABLE',
    0x162,
    true,
    'The store could not read or write; it has closed itself.',
  ),
  STORE_CORRUPT: row(
    'DATA_LOSS',
    0x163,
    false,
    'Records of the store are damaged or missing, and later ones are not.',
  ),
  STORE_FENCED: row(
    'ABORTED',
    0x164,
    false,
    'A later epoch has begun: the writer was replaced by another.',
  ),
  STORE_TOO_NEW: row(
    'FAILED_PRECONDITION',
    0x165,
    false,
    'The store was written in a format of a later version.',
  ),
  // 0x17x: what the coordinator learns.
  EXPERIENCE_NOT_FOUND: row(
    'NOT_FOUND',
    0x170,
    false,
    'Nothing is to be learnt from this task, or it was so long ago that it is forgotten.',
  ),
  OUTCOME_EXISTS: row('ALREADY_EXISTS', 0x171, false, 'How the task turned out was told before.'),
} as const satisfies Record<string, ErrorRow>;

/** The stable name of an error of the system. */
export type ErrorType = keyof typeof ERRORS;

/** The code that a QUIC connection or stream carries when nothing went wrong. */
export const NO_ERROR_WIRE_CODE = 0x100;

/** What one error looks like on a wire, in JSON, or between threads. */
export interface Failure {
  readonly code: StatusCode;
  /** An {@link ErrorType}, or the name of the error class that a user's handler threw. */
  readonly type: string;
  /** What happened and why, in a sentence with the values that matter. */
  readonly message: string;
  readonly retryable: boolean;
  /** What to do about it: an action or the next command to type. */
  readonly hint?: string;
  /** Wait so long before the next try. */
  readonly retryAfterMs?: number;
  /** Where it was thrown, in the process where it was thrown. */
  readonly stack?: string;
  /** What caused it, outermost first; nested causes are flattened. */
  readonly causes?: FailureCause[];
}

/** One link of the chain behind a {@link Failure}. */
export interface FailureCause {
  readonly type: string;
  readonly message: string;
}

/** Optional parts of a {@link SwarmError}. */
export interface SwarmErrorOptions {
  readonly hint?: string;
  readonly cause?: unknown;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
}

/**
 * The one error class of the public interfaces: promises of this project reject with it. Compare `type` or `code`.
 */
export class SwarmError extends Error {
  readonly code: StatusCode;
  readonly type: string;
  readonly retryable: boolean;
  readonly hint?: string;
  readonly retryAfterMs?: number;
  /** The stack of the process in which a remote error was thrown. */
  readonly remoteStack?: string;

  constructor(type: ErrorType, message: string, options: SwarmErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SwarmError';
    this.type = type;
    this.code = ERRORS[type].code;
    this.retryable = options.retryable ?? ERRORS[type].retryable;
    if (options.hint !== undefined) this.hint = options.hint;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }

  /** Rebuilds the error that a {@link Failure} describes, in the process that received it. */
  static fromFailure(failure: Failure): SwarmError {
    const error = new SwarmError('INTERNAL', failure.message);
    const { code, type, retryable, hint, retryAfterMs, stack, causes } = failure;
    const cause = causeOf(causes ?? []);
    return Object.assign(error, {
      code,
      type,
      retryable,
      ...(hint === undefined ? {} : { hint }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(stack === undefined ? {} : { remoteStack: stack }),
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/** True for errors that carry a `code`, a `type` and `retryable`, whatever their class became on the way here. */
export function isSwarmError(error: unknown): error is SwarmError {
  return (
    error instanceof Error &&
    'type' in error &&
    typeof error.type === 'string' &&
    'code' in error &&
    (STATUS_CODES as readonly unknown[]).includes(error.code) &&
    'retryable' in error &&
    typeof error.retryable === 'boolean'
  );
}

/**
 * Turns whatever was thrown into data that fits the wire. Unknown errors keep the name of their class as `type`.
 * Never throws, whatever a user's handler has thrown.
 */
export function toFailure(thrown: unknown, fallback: ErrorType = 'TASK_FAILED'): Failure {
  if (!(thrown instanceof Error)) return failure(fallback, textOf(thrown, MESSAGE_LENGTH_MAX));
  const causes = causesOf(thrown);
  const stack: unknown = isSwarmError(thrown) ? thrown.remoteStack : thrown.stack;
  const rest = {
    message: textOf(thrown.message, MESSAGE_LENGTH_MAX),
    ...(stack === undefined ? {} : { stack: textOf(stack, STACK_LENGTH_MAX) }),
    ...(causes.length === 0 ? {} : { causes }),
  };
  if (isSwarmError(thrown)) {
    const { hint, retryAfterMs } = thrown;
    return {
      code: thrown.code,
      type: textOf(thrown.type, TYPE_LENGTH_MAX) || fallback,
      retryable: thrown.retryable,
      ...(hint === undefined ? {} : { hint: textOf(hint, MESSAGE_LENGTH_MAX) }),
      ...(retryAfterMs === undefined || !(retryAfterMs >= 0)
        ? {}
        : { retryAfterMs: Math.min(retryAfterMs, 1e12) }),
      ...rest,
    };
  }
  const { code, retryable } = ERRORS[fallback];
  const name = textOf(thrown.name, TYPE_LENGTH_MAX);
  return { code, type: name === 'Error' || name === '' ? fallback : name, retryable, ...rest };
}

/** A {@link Failure} of a known type, where no error was thrown. */
export function failure(
  type: ErrorType,
  message: string,
  options: SwarmErrorOptions = {},
): Failure {
  const { code, retryable } = ERRORS[type];
  return {
    code,
    type,
    message,
    retryable: options.retryable ?? retryable,
    ...(options.hint === undefined ? {} : { hint: options.hint }),
    ...(options.retryAfterMs === undefined ? {} : { retryAfterMs: options.retryAfterMs }),
  };
}

/** The name of an application error code of a QUIC close or reset; undefined when it is none of ours. */
export function errorTypeOfWireCode(wireCode: number): ErrorType | undefined {
  for (const [type, { wireCode: candidate }] of Object.entries(ERRORS)) {
    if (candidate === wireCode) return type as ErrorType;
  }
  return undefined;
}

function causesOf(error: Error): FailureCause[] {
  const causes: FailureCause[] = [];
  let cause: unknown = error.cause;
  // Eight links tell the story; a chain that is longer, or a ring, would only fill the frame.
  while (cause instanceof Error && causes.length < 8) {
    causes.push({
      type: textOf(isSwarmError(cause) ? cause.type : cause.name, TYPE_LENGTH_MAX),
      message: textOf(cause.message, MESSAGE_LENGTH_MAX),
    });
    cause = cause.cause;
  }
  return causes;
}

/** The chain of errors that `causesOf` would flatten to the same list. */
function causeOf(causes: readonly FailureCause[]): Error | undefined {
  let outer: Error | undefined;
  for (const { type, message } of causes.toReversed()) {
    outer = new Error(message, outer === undefined ? undefined : { cause: outer });
    outer.name = type;
  }
  return outer;
}

// A user's error may have anything as its message, and anything may be thrown: objects without toString too.
function textOf(value: unknown, lengthMax: number): string {
  try {
    return String(value).slice(0, lengthMax);
  } catch {
    return 'a value that cannot be shown as text';
  }
}

function row(code: StatusCode, wireCode: number, retryable: boolean, when: string): ErrorRow {
  return { code, wireCode, retryable, when };
}
