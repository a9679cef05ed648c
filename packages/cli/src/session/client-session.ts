/**
 * A connection to the coordinator for the length of one command. When nobody answers, the error says at which
 * address, how long it waited, and the command that starts a coordinator there.
 */
import type { SwarmClient } from '@quic-swarm/client';
import type { CompressionMode } from '@quic-swarm/protocol';
import type { CommandContext } from '../command-line/context.ts';
import { COMPRESSION_MODES } from '../command-line/names.ts';
import type { Values } from '../command-line/values.ts';
import { CommandError, usageError } from '../output/command-error.ts';
import { reportedErrorOf } from '../output/failure-report.ts';
import { DEFAULT_ADDRESS } from '../specifications/shared.ts';
import { readTrustOptions, type TrustOptions } from './trust.ts';

/** Where and how to connect. */
export interface SessionOptions {
  readonly address: string;
  readonly trust: TrustOptions;
  /** Undefined: {@link defaultConnectTimeoutMs}. */
  readonly connectTimeoutMs: number | undefined;
  readonly compression: CompressionMode;
}

/** Reads the options that every client command has. `ADDR` is the positional form of `--address`. */
export async function readSessionOptions(
  values: Values,
  { environment }: Pick<CommandContext, 'environment'>,
): Promise<SessionOptions> {
  values.refuseBoth('address', 'ADDR');
  const address =
    values.text('ADDR') ??
    values.text('address') ??
    (environment['SWARM_ADDRESS'] || DEFAULT_ADDRESS);
  const connectTimeoutMs = readConnectTimeout(values);
  const compression = values.choice('compression', COMPRESSION_MODES) ?? 'auto';
  return { address, trust: await readTrustOptions(values), connectTimeoutMs, compression };
}

/** A person who starts a command hears within three seconds that nobody is there, loading included. */
const ANSWER_MS = 2700;
const CONNECT_MIN_MS = 1000;

/** `--connect-timeout`. @throws BAD_OPTION */
export function readConnectTimeout(values: Values): number | undefined {
  const given = values.durationMs('connect-timeout');
  if (given === 0) throw usageError('--connect-timeout must be longer than nothing.');
  return given;
}

/** What is left of {@link ANSWER_MS} since the process began: call it when all is loaded. */
export function defaultConnectTimeoutMs(): number {
  return Math.max(CONNECT_MIN_MS, Math.round(ANSWER_MS - performance.now()));
}

/** Connects, runs `use`, and closes in every case. */
export async function withSwarm<T>(
  { interruption }: Pick<CommandContext, 'interruption'>,
  { address, trust, connectTimeoutMs, compression }: SessionOptions,
  use: (swarm: SwarmClient) => Promise<T>,
): Promise<T> {
  // Loaded here and not above: --help and errors of the command line need none of it.
  const { connect } = await import('@quic-swarm/client');
  let swarm: SwarmClient;
  try {
    const timeoutMs = connectTimeoutMs ?? defaultConnectTimeoutMs();
    const connecting = connect({ address, security: trust, timeoutMs, compression });
    swarm = await interruption.orInterrupted(connecting);
  } catch (error) {
    throw explainedConnectError(error, address);
  }
  try {
    return await use(swarm);
  } finally {
    await swarm.close();
  }
}

/** The same error in the words of a command line. */
export function explainedConnectError(thrown: unknown, address: string): unknown {
  const { type, message, hint } = reportedErrorOf(thrown);
  if (type === 'CONNECT_FAILED') {
    return new CommandError('CONNECT_FAILED', `No coordinator answered at ${address}. ${message}`, {
      cause: thrown,
      hint: `Start one:  coordinator ${address}\nOr give the address of one that runs, HOST:PORT.`,
    });
  }
  if (type === 'BAD_CERTIFICATE') {
    return new CommandError('BAD_CERTIFICATE', message, {
      cause: thrown,
      hint: [hint, certificateHint(message)].filter(Boolean).join('\n'),
    });
  }
  return thrown;
}

/** The options that help, depending on which side's certificate is in doubt. */
function certificateHint(message: string): string {
  return message.includes('client certificate')
    ? 'Give --certificate FILE and --private-key FILE; swarm certs create makes them.'
    : 'A coordinator of another user or machine, or with another state directory, needs --fingerprint sha256:… or --ca FILE.';
}
