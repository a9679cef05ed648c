/** How a command recognises the coordinator: from options to the security options of the transport. */
import { readFile } from 'node:fs/promises';
import type { Values } from '../command-line/values.ts';
import { usageError } from '../output/command-error.ts';

/** PEM texts and pins; all absent: the development certificate of this machine is pinned. */
export interface TrustOptions {
  readonly fingerprint?: string;
  readonly authority?: string;
  readonly certificate?: string;
  readonly privateKey?: string;
  readonly stateDirectory?: string;
}

/** Reads the trust options of a command and the files that they name. @throws BAD_OPTION */
export async function readTrustOptions(values: Values): Promise<TrustOptions> {
  const fingerprint = values.text('fingerprint');
  values.refuseBoth('fingerprint', 'ca');
  if (fingerprint !== undefined && !/^sha256:[0-9a-f]{64}$/i.test(fingerprint)) {
    throw usageError(
      `--fingerprint "${fingerprint}" is not a fingerprint.`,
      'Write sha256: and 64 hexadecimal digits, as the coordinator prints at its start.',
    );
  }
  const stateDirectory = values.text('state-directory');
  const authority = await readPem(values, 'ca');
  const pair = await readKeyPair(values);
  return {
    ...pair,
    ...(fingerprint === undefined ? {} : { fingerprint: fingerprint.toLowerCase() }),
    ...(authority === undefined ? {} : { authority }),
    ...(stateDirectory === undefined ? {} : { stateDirectory }),
  };
}

/** `--certificate` and `--private-key`, which need each other. */
export async function readKeyPair(
  values: Values,
): Promise<{ readonly certificate?: string; readonly privateKey?: string }> {
  const certificate = await readPem(values, 'certificate');
  const privateKey = await readPem(values, 'private-key');
  if (certificate === undefined && privateKey === undefined) return {};
  if (certificate === undefined || privateKey === undefined) {
    const missing = certificate === undefined ? '--certificate' : '--private-key';
    throw usageError(`${missing} is missing.`, 'Give --certificate and --private-key together.');
  }
  return { certificate, privateKey };
}

/** The text of a PEM file that an option names. */
export async function readPem(values: Values, option: string): Promise<string | undefined> {
  const path = values.text(option);
  if (path === undefined) return undefined;
  const text = await readTextFile(path, `--${option}`);
  if (text.includes('-----BEGIN ')) return text;
  throw usageError(`--${option} ${path} is no PEM file.`, 'swarm certs create writes such files.');
}

/** The text of a file; `what` names it in errors. @throws BAD_OPTION */
export async function readTextFile(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw usageError(`${what} ${path} cannot be read: ${reasonOf(error)}.`, 'Check the path.');
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  ERR_STRING_TOO_LONG: 'it is over 512 MiB',
  ERR_FS_FILE_TOO_LARGE: 'it is over 2 GiB',
};

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return REASONS[code] ?? error.message;
}
