/**
 * How an error is told: what happened and why, what to do about it, and with `--json` the same as one object on
 * stdout, so that a script reads failures where it reads results. Stack traces only on request.
 */
import type { StatusCode } from '@quic-swarm/protocol';
import { EXIT, exitCodeOf, type ExitCode } from './exit-codes.ts';
import { toJson } from './json.ts';
import type { Terminal } from './terminal.ts';

/** What every reported error has, whatever its class. */
export interface ReportedError {
  readonly code: StatusCode;
  readonly type: string;
  readonly message: string;
  readonly hint?: string;
}

/** How to report. */
export interface ReportOptions {
  readonly json: boolean;
  readonly debug: boolean;
}

/** Prints an error and says with which code to exit. */
export function reportFailure(
  terminal: Terminal,
  thrown: unknown,
  { json, debug }: ReportOptions,
): ExitCode {
  const error = reportedErrorOf(thrown);
  if (json) terminal.printJson(toJson({ error }));
  for (const line of failureLines(error, terminal)) terminal.note(line);
  if (debug && thrown instanceof Error) {
    for (let link: unknown = thrown; link instanceof Error; link = link.cause) {
      terminal.note(terminal.paintNote('dim', link.stack ?? link.message));
    }
  } else if (error.type === 'INTERNAL' && !debug) {
    terminal.note('  This looks like a bug: repeat it with --debug and report what it prints.');
  }
  return exitCodeOf(error);
}

/** The lines for a person: the error, then what to do, indented. */
export function failureLines(error: ReportedError, terminal: Terminal): string[] {
  const lines = [`${terminal.paintNote('red', 'error:')} ${error.message}`];
  if (error.hint !== undefined) lines.push(...error.hint.split('\n').map((line) => `  ${line}`));
  return lines;
}

/** The data of an error: `{code, type, message, hint?}`. */
export function reportedErrorOf(thrown: unknown): ReportedError {
  if (!(thrown instanceof Error)) {
    return { code: 'INTERNAL', type: 'INTERNAL', message: String(thrown) };
  }
  if (hasType(thrown)) {
    const { code, type, message, hint } = thrown;
    return { code, type, message, ...(hint === undefined ? {} : { hint }) };
  }
  return { code: 'INTERNAL', type: 'INTERNAL', message: thrown.message };
}

/** SwarmError and CommandError have it; told by shape, since an error loses its class between threads. */
function hasType(error: Error): error is Error & ReportedError {
  return (
    'type' in error &&
    typeof error.type === 'string' &&
    'code' in error &&
    typeof error.code === 'string' &&
    'retryable' in error
  );
}

/** The exit code after a signal. */
export function exitCodeOfSignal(signal: NodeJS.Signals): ExitCode {
  return signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
}
