/** The three faults under a writer with a store, each for some rounds, and what came of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Ledger } from './ledger.ts';
import { LoopMount } from './loop-mount.ts';
import { WriterProcess } from './writer-process.ts';

/** One row of the result. */
export interface Result {
  readonly fault: string;
  rounds: number;
  acknowledged: number;
  lost: number;
  notices: number;
  /** What must not be. */
  readonly violations: string[];
}

/** How long a writer may work before the fault: a random time up to this, after its first acknowledgement. */
const WORK_MS_MAX = 800;
const FULL_DISK_MEGABYTES = 24;

/** Kills a writer again and again in the same folder. */
export async function killRounds(rounds: number): Promise<Result> {
  return withFolder(async (root) => {
    const result = emptyResult('kill -9');
    const ledger = new Ledger();
    const folder = join(root, 'store');
    for (let round = 1; round <= rounds; round += 1) {
      await using writer = new WriterProcess({ folder, life: round, ledger });
      await writer.working;
      await setTimeout(Math.random() * WORK_MS_MAX);
      await writer.kill();
      await judge(result, ledger, folder, round);
    }
    result.acknowledged = ledger.acknowledged;
    return result;
  });
}

/** Cuts the power of the file system under a writer, again and again. `unsafe`: with a store that does not synchronise,
 *  which must be seen to lose something. */
export async function powerCutRounds(rounds: number, unsafe: boolean): Promise<Result> {
  return withFolder(async (root) => {
    const result = emptyResult(unsafe ? 'power cut, not synchronised (control)' : 'power cut');
    using mount = new LoopMount(root, 96);
    for (let round = 1; round <= rounds; round += 1) {
      const ledger = new Ledger();
      const folder = join(mount.folder, `store-${round}`);
      {
        await using writer = new WriterProcess({
          folder,
          life: round,
          ledger,
          ...(unsafe ? { way: 'unsafe' as const } : {}),
        });
        await writer.working;
        await setTimeout(Math.random() * WORK_MS_MAX);
        mount.cutPower();
        await writer.kill();
      }
      mount.unmount();
      mount.mount();
      await judge(result, ledger, folder, round);
      result.acknowledged += ledger.acknowledged;
      rmSync(folder, { recursive: true, force: true });
    }
    if (unsafe && result.lost > 0) result.violations.length = 0;
    if (unsafe && result.lost === 0) {
      result.violations.push('nothing was lost without synchronisation: this test notices nothing');
    }
    return result;
  });
}

/** Lets a writer fill the disk, again and again. */
export async function fullDiskRounds(rounds: number): Promise<Result> {
  return withFolder(async (root) => {
    const result = emptyResult('full disk');
    using mount = new LoopMount(root, FULL_DISK_MEGABYTES);
    for (let round = 1; round <= rounds; round += 1) {
      const ledger = new Ledger();
      const folder = join(mount.folder, `store-${round}`);
      const ballast = join(mount.folder, 'ballast');
      // Another size each time, so that the disk is full at another place in what LevelDB does.
      writeFileSync(ballast, Buffer.alloc(6_000_000 + round * 777_777));
      await using writer = new WriterProcess({ folder, life: round, ledger, way: 'fill' });
      const code = await writer.ended();
      const remarks = ledger.remarks.join(' | ');
      if (code !== 0) result.violations.push(`round ${round}: the writer ended with ${code}`);
      if (remarks !== 'closed STORE_FULL STORE_FULL | late STORE_FULL') {
        result.violations.push(`round ${round}: the writer said: ${remarks}`);
      }
      rmSync(ballast);
      await judge(result, ledger, folder, round);
      result.acknowledged += ledger.acknowledged;
      rmSync(folder, { recursive: true, force: true });
    }
    return result;
  });
}

async function judge(result: Result, ledger: Ledger, folder: string, round: number): Promise<void> {
  const { lost, error, notices } = await ledger.verify(folder);
  result.rounds = round;
  result.lost += lost;
  result.notices += notices;
  if (lost > 0) result.violations.push(`round ${round}: ${lost} acknowledged entries are lost`);
  if (error !== undefined) result.violations.push(`round ${round}: ${error}`);
  if (ledger.acknowledged === 0) result.violations.push(`round ${round}: nothing was written`);
}

/** A row without rounds yet. */
export function emptyResult(fault: string): Result {
  return { fault, rounds: 0, acknowledged: 0, lost: 0, notices: 0, violations: [] };
}

/** Folders that work goes on in; a run that is interrupted leaves none behind. */
const folders = new Set<string>();

process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Works in a folder that is removed afterwards. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'quic-swarm-chaos-'));
  folders.add(folder);
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    folders.delete(folder);
  }
}
