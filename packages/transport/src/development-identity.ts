/**
 * The certificate of development: made at the first start of a coordinator, kept in the user's state directory, and
 * pinned by agents and clients that the same user starts on the same machine. So they trust each other without a flag
 * and without switching verification off; nobody else's processes can read the key.
 */
import { X509Certificate, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { SwarmError } from '@quic-swarm/protocol';
import { createSelfSignedCertificate } from './certificates.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { Identity } from './quic/trust.ts';

const FILE = 'development-identity.pem';
const DAYS = 365;
const RENEW_BEFORE_MS = 24 * 60 * 60 * 1000;

/** `$QUIC_SWARM_STATE_DIR`, else `quic-swarm` in `$XDG_STATE_HOME`, else `~/.local/state/quic-swarm`. */
export function defaultStateDirectory(): string {
  const { QUIC_SWARM_STATE_DIR: own, XDG_STATE_HOME: xdg } = process.env;
  if (own !== undefined && own !== '') return own;
  const base = xdg === undefined || xdg === '' ? join(homedir(), '.local', 'state') : xdg;
  return join(base, 'quic-swarm');
}

/** The identity of development, made if it is absent or about to expire. Throws BAD_OPTION when the directory cannot be used. */
export function loadOrCreateDevelopmentIdentity(stateDirectory?: string): Identity {
  const directory = stateDirectory ?? defaultStateDirectory();
  const path = join(directory, FILE);
  const existing = read(path);
  if (existing !== undefined && !isExpiring(existing)) return existing;
  const { certificate, privateKey } = createSelfSignedCertificate({
    commonName: 'quic-swarm development coordinator',
    hosts: ['localhost', '127.0.0.1', '::1', hostname()],
    days: DAYS,
  });
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(temporary, `${certificate.trim()}\n${privateKey.trim()}\n`, { mode: 0o600 });
    // Two coordinators may start at once: the first link wins and both use its file.
    if (existing === undefined) linkOrKeep(temporary, path);
    else renameSync(temporary, path);
  } catch (error) {
    throw new SwarmError(
      'BAD_OPTION',
      `The state directory ${directory} cannot be written: ${String(error)}.`,
      {
        cause: error,
        hint: 'Set QUIC_SWARM_STATE_DIR to a directory of yours, or give a certificate and key.',
      },
    );
  } finally {
    rmSync(temporary, { force: true });
  }
  return read(path) ?? { certificate, privateKey };
}

/** The fingerprint to pin; undefined when no coordinator of this user has run here. */
export function developmentFingerprint(stateDirectory?: string): string | undefined {
  const identity = read(join(stateDirectory ?? defaultStateDirectory(), FILE));
  return identity === undefined ? undefined : fingerprintOf(identity.certificate);
}

function linkOrKeep(temporary: string, path: string): void {
  try {
    linkSync(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function read(path: string): Identity | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const certificate = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/.exec(
    text,
  )?.[0];
  const privateKey = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----\n?/.exec(
    text,
  )?.[0];
  return certificate === undefined || privateKey === undefined
    ? undefined
    : { certificate, privateKey };
}

function isExpiring({ certificate }: Identity): boolean {
  return Date.parse(new X509Certificate(certificate).validTo) < Date.now() + RENEW_BEFORE_MS;
}
