/**
 * The error of this package: what, why, and what to do about it. It has the fields of a `SwarmError`, so that one
 * function can report both; it is a class of its own because loading the protocol package costs more than the whole
 * `swarm --help` may take.
 */
import type { ErrorType, StatusCode } from '@quic-swarm/protocol';

/** The error types that commands raise themselves. */
export type CommandErrorType =
  | 'BAD_OPTION'
  | 'BAD_INPUT'
  | 'CONNECT_FAILED'
  | 'ADDRESS_IN_USE'
  | 'BAD_CERTIFICATE'
  | 'DUPLICATE_AGENT'
  | 'TASK_FAILED'
  | 'EXPERIENCE_NOT_FOUND'
  | 'UNSUPPORTED_OPTION'
  | 'INTERNAL';

const CODES: Readonly<Record<CommandErrorType & ErrorType, StatusCode>> = {
  BAD_OPTION: 'INVALID_ARGUMENT',
  BAD_INPUT: 'INVALID_ARGUMENT',
  CONNECT_FAILED: 'UNAVAILABLE',
  ADDRESS_IN_USE: 'FAILED_PRECONDITION',
  BAD_CERTIFICATE: 'UNAUTHENTICATED',
  DUPLICATE_AGENT: 'ALREADY_EXISTS',
  TASK_FAILED: 'UNKNOWN',
  EXPERIENCE_NOT_FOUND: 'NOT_FOUND',
  UNSUPPORTED_OPTION: 'UNIMPLEMENTED',
  INTERNAL: 'INTERNAL',
};

/** Optional parts of a {@link CommandError}. */
export interface CommandErrorOptions {
  /** What to do: one line per action. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Ends a command with an exit code that follows from its type (see exit-codes.ts). */
export class CommandError extends Error {
  readonly type: CommandErrorType;
  readonly code: StatusCode;
  readonly retryable: boolean = false;
  readonly hint?: string;

  constructor(type: CommandErrorType, message: string, options: CommandErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CommandError';
    this.type = type;
    this.code = CODES[type];
    if (options.hint !== undefined) this.hint = options.hint;
  }
}

/** A wrong command line. */
export function usageError(message: string, hint?: string): CommandError {
  return new CommandError('BAD_OPTION', message, hint === undefined ? {} : { hint });
}

/** A file whose content cannot be used. */
export function inputError(message: string, hint?: string): CommandError {
  return new CommandError('BAD_INPUT', message, hint === undefined ? {} : { hint });
}
