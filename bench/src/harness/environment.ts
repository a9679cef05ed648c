/** Where a bench ran: without it no figure means anything. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { cpus, freemem, loadavg, platform, release, totalmem, version } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Peer } from '../peers/contract.ts';

/** A figure before and after the run. */
interface BeforeAndAfter<T> {
  readonly before: T;
  readonly after: T;
}

/** See the head of this file. */
export interface Environment {
  readonly date: string;
  /** Null outside a git checkout; `+` follows when files were changed. */
  readonly commit: string | null;
  readonly node: string;
  readonly kernel: string;
  readonly cpu: { readonly model: string; readonly count: number };
  readonly memoryBytes: { readonly total: number; readonly free: number };
  /** Of the last minute. */
  readonly loadAverage: BeforeAndAfter<number>;
  /** p50 of a round trip of 256 bytes between two processes, milliseconds. */
  readonly udpRoundTripMs: BeforeAndAfter<number | null>;
  readonly tcpRoundTripMs: BeforeAndAfter<number | null>;
  /** Of peers, by package or program. */
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly seed: number;
  readonly isQuick: boolean;
}

/** What can be told before and after a run. */
export interface Conditions {
  readonly loadAverage: number;
  readonly udpRoundTripMs: number | null;
  readonly tcpRoundTripMs: number | null;
}

/** Puts an environment together. */
export function describeEnvironment(options: {
  readonly before: Conditions;
  readonly after: Conditions;
  readonly peers: readonly Peer[];
  readonly rounds: number;
  readonly seed: number;
  readonly isQuick: boolean;
}): Environment {
  const { before, after, peers, rounds, seed, isQuick } = options;
  const both = <Name extends keyof Conditions>(name: Name): BeforeAndAfter<Conditions[Name]> => ({
    before: before[name],
    after: after[name],
  });
  return {
    date: new Date().toISOString(),
    commit: commitHere(),
    node: process.version,
    kernel: `${platform()} ${release()} ${version()}`,
    cpu: { model: cpus()[0]?.model ?? 'unknown', count: cpus().length },
    memoryBytes: { total: totalmem(), free: freemem() },
    loadAverage: both('loadAverage'),
    udpRoundTripMs: both('udpRoundTripMs'),
    tcpRoundTripMs: both('tcpRoundTripMs'),
    versions: versionsOf(peers),
    rounds,
    seed,
    isQuick,
  };
}

/** The load of the last minute; 0 where the system does not tell. */
export function loadNow(): number {
  return loadavg()[0] ?? 0;
}

/** Where a program of the path lies; Debian keeps servers in sbin, which is not in everybody's path. */
export function programPath(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

export function isInstalled(program: string): boolean {
  return programPath(program) !== undefined;
}

function versionsOf(peers: readonly Peer[]): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const { packages, programs = [] } of peers) {
    for (const name of packages) versions[name] = packageVersion(name);
    for (const program of programs) {
      const path = programPath(program);
      const text = path === undefined ? undefined : output(path, ['--version']);
      if (text !== undefined) versions[program] = /\d+\.\d+\.\d+/.exec(text)?.[0] ?? text;
    }
  }
  return versions;
}

const BENCH_FOLDER = join(dirname(fileURLToPath(import.meta.url)), '../..');

function packageVersion(name: string): string {
  const path = join(BENCH_FOLDER, 'node_modules', name, 'package.json');
  const { version: found } = JSON.parse(readFileSync(path, 'utf8')) as { version: string };
  return found;
}

function commitHere(): string | null {
  const commit = output('git', ['-C', BENCH_FOLDER, 'rev-parse', '--short=12', 'HEAD']);
  if (commit === undefined) return null;
  const changes = output('git', ['-C', BENCH_FOLDER, 'status', '--porcelain']);
  return changes === '' ? commit : `${commit}+`;
}

function output(program: string, args: readonly string[]): string | undefined {
  try {
    const text = execFileSync(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    return text.toString().trim();
  } catch {
    return undefined;
  }
}
