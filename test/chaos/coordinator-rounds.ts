/**
 * A coordinator, its agents and a client as real processes, and the disk under the coordinator's tasks fails: its power is
 * cut, or it is full. Each for some rounds, in one folder, with one book of all that was acknowledged.
 */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { SwarmClient } from '@quic-swarm/client';
import { LoopMount } from './loop-mount.ts';
import { emptyResult, withFolder, type Result } from './rounds.ts';
import {
  balanceOfClient,
  duplicatesOf,
  endsToldAgain,
  needlessStarts,
} from './support/accounts.ts';
import { integerFrom } from './support/chaos-case.ts';
import { pauseMs, wallMs, within } from './support/clock.ts';
import { Findings, maximumOf, quantileOf } from './support/findings.ts';
import { Ledger } from './support/ledger.ts';
import { Load } from './support/load.ts';
import { ProcessSwarm } from './support/process-swarm.ts';
import { answerTo, type WorkInput } from './support/work.ts';

const AGENTS = 3;
const MOUNT_MEGABYTES = 64;

/** So many tasks are acknowledged between two faults at least, and then some more for a random time. */
const ACKNOWLEDGED_MIN = 20;
const WORK_MS_MAX = 800;
/** A coordinator without a disk goes on for a random time up to this, in which it tries to open its store again. */
const DISKLESS_MS_MAX = 2500;
const PATIENCE_MS = 30_000;
/** What an agent was given before a fault may be started so long after it. */
const STALE_START_MS = 3000;
/** The filler takes what others give back this often. */
const FILL_INTERVAL_MS = 50;

/** The time in which a disk failed. */
interface Failing {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** What the rounds of both faults have in common. */
interface Scene {
  readonly mount: LoopMount;
  readonly swarm: ProcessSwarm;
  readonly client: SwarmClient;
  readonly ledger: Ledger;
  readonly load: Load;
  readonly findings: Findings;
  readonly failings: Failing[];
}

/** Cuts the power of the file system under a coordinator, ends it, and starts another one behind the cut. */
export async function coordinatorPowerCuts(rounds: number): Promise<Result> {
  const result = emptyResult('power cut under a coordinator');
  await withScene(result, async (scene) => {
    const { mount, swarm, failings } = scene;
    const backMs: number[] = [];
    let died = 0;
    for (let round = 1; round <= rounds; round += 1) {
      await underLoad(scene);
      const fromMs = wallMs();
      mount.cutPower();
      await pauseMs(Math.random() * DISKLESS_MS_MAX);
      if (!swarm.coordinator.isRunning) died += 1;
      await swarm.coordinator.kill();
      result.notices += tailsCut(scene);
      mount.unmount();
      mount.mount();
      const { length } = scene.ledger.acknowledged;
      const { startedAtMs } = await swarm.startCoordinator();
      failings.push({ fromMs, untilMs: wallMs() });
      await within(PATIENCE_MS, () => scene.ledger.acknowledged.length > length);
      backMs.push(wallMs() - startedAtMs);
      result.rounds = round;
    }
    await underLoad(scene);
    const { findings } = scene;
    findings.safety('coordinators that died of the power cut', died, { atMost: 0 });
    findings.safety('refusals of another kind', unlike(scene, ['STORE_FAILED']), { atMost: 0 });
    findings.goal('process started to the next acknowledgement, p50', quantileOf(backMs, 0.5), {
      atMost: 2000,
    });
    findings.goal('process started to the next acknowledgement, longest', maximumOf(backMs), {
      atMost: 5000,
    });
  });
  return result;
}

/** Fills the disk under a coordinator and makes room again, while the coordinator goes on. */
export async function coordinatorFullDisks(rounds: number): Promise<Result> {
  const result = emptyResult('full disk under a coordinator');
  await withScene(result, async (scene) => {
    const { swarm, findings, failings, ledger } = scene;
    const recoveriesMs: number[] = [];
    let unrefused = 0;
    let ephemeral = 0;
    for (let round = 1; round <= rounds; round += 1) {
      await underLoad(scene);
      const fromMs = wallMs();
      const refusedBefore = ledger.refusals.length;
      using ballast = new Ballast(join(scene.mount.folder, 'ballast'));
      const isRefusing = await within(PATIENCE_MS, () => ledger.refusals.length > refusedBefore);
      if (!isRefusing) unrefused += 1;
      if (await computesWithoutDisk(scene.client, round)) ephemeral += 1;
      await pauseMs(Math.random() * DISKLESS_MS_MAX);
      ballast[Symbol.dispose]();
      const roomAtMs = wallMs();
      const { length } = ledger.acknowledged;
      await within(PATIENCE_MS, () => ledger.acknowledged.length > length);
      recoveriesMs.push(wallMs() - roomAtMs);
      failings.push({ fromMs, untilMs: wallMs() });
      result.rounds = round;
    }
    await underLoad(scene);
    findings.safety('coordinators that ended', swarm.coordinator.isRunning ? 0 : 1, { atMost: 0 });
    findings.safety('rounds in which nothing was refused', unrefused, { atMost: 0 });
    findings.safety('tasks without a promise that ended well meanwhile', ephemeral, {
      atLeast: rounds,
    });
    findings.safety('refusals of another kind', unlike(scene, ['STORE_FULL']), { atMost: 0 });
    findings.goal('room made to the next acknowledgement, p50', quantileOf(recoveriesMs, 0.5), {
      atMost: 2000,
    });
    const longestMs = maximumOf(recoveriesMs);
    findings.safety('room made to the next acknowledgement, longest', longestMs, {
      atMost: PATIENCE_MS,
    });
    // Whatever the ends of this life say, the next one has to find them on the disk.
    await scene.load.stop();
    await swarm.coordinator.kill();
    result.notices += tailsCut(scene);
    await swarm.startCoordinator();
  });
  return result;
}

/** Sets the scene, lets the rounds happen, and draws the balance when all that was submitted has ended. */
async function withScene(result: Result, happen: (scene: Scene) => Promise<void>): Promise<void> {
  const findings = new Findings((text) => {
    console.error(text);
  });
  try {
    await withFolder(async (root) => {
      using mount = new LoopMount(root, MOUNT_MEGABYTES);
      await using swarm = await ProcessSwarm.start({ dataFolder: join(mount.folder, 'tasks') });
      await swarm.startAgents(Array.from({ length: AGENTS }, (_, index) => `agent-${index}`));
      const client = await swarm.connect();
      const ledger = new Ledger();
      const load = loadOf(client, ledger);
      const scene = { mount, swarm, client, ledger, load, findings, failings: [] };
      await happen(scene);
      await load.stop();
      await drawBalance(scene, result);
    });
  } catch (error) {
    result.violations.push(`it broke off: ${String(error)}`);
  }
  result.violations.push(
    ...findings.all
      .filter(({ kind, isMet }) => kind === 'safety' && !isMet)
      .map(({ property, measured, target }) => `${property}: ${measured}, must be ${target}`),
  );
}

function loadOf(client: SwarmClient, ledger: Ledger): Load {
  return new Load({
    client,
    ledger,
    concurrency: 4 * AGENTS,
    computeMs: () => integerFrom(Math.random, 10, 60),
    submitOptions: (number) => ({
      durable: true,
      // What was refused may be on the disk nevertheless, and must not become a second task.
      idempotencyKey: `disk-${number}`,
      retry: { maximumDeliveries: 1000 },
    }),
    submitsAgain: ({ type }) => type.startsWith('STORE_'),
  });
}

/** Resolves in the middle of work, with promises that were made since the last fault. */
async function underLoad({ ledger, swarm }: Scene): Promise<void> {
  const wanted = ledger.acknowledged.length + ACKNOWLEDGED_MIN;
  if (!(await within(PATIENCE_MS, () => ledger.acknowledged.length >= wanted))) {
    const { tail } = swarm.coordinator;
    throw new Error(`The coordinator acknowledges nothing: ${ledger.troubles}\n${tail}`);
  }
  await pauseMs(Math.random() * WORK_MS_MAX);
}

/** A task that nobody was promised to be kept ends well although there is no disk. */
async function computesWithoutDisk(client: SwarmClient, round: number): Promise<boolean> {
  const input: WorkInput = { number: 1_000_000 + round, computeMs: 1 };
  const handle = await client.submit<number, WorkInput>('chaos.work', input, { priority: 5 });
  const { state, result } = await handle.outcome();
  return state === 'succeeded' && result === answerTo(input.number);
}

/** Refusals that do not say what is wrong with the disk, or not that it is worth another try. */
function unlike({ ledger }: Scene, types: readonly string[]): number {
  const isLike = ({ type, retryable }: Ledger['refusals'][number]): boolean =>
    types.includes(type) && retryable;
  return ledger.refusals.filter((refusal) => !isLike(refusal)).length;
}

function tailsCut({ swarm }: Scene): number {
  return swarm.coordinator.count('was cut off');
}

async function drawBalance(scene: Scene, result: Result): Promise<void> {
  const { swarm, client, ledger, findings, failings } = scene;
  result.notices += tailsCut(scene);
  result.acknowledged = ledger.acknowledged.length;
  const again = await endsToldAgain(ledger, client);
  result.lost = ledger.acknowledged.filter(({ isRight }) => !isRight).length + again.unknown;
  findings.safety(`of ${result.acknowledged} acknowledged tasks lost`, result.lost, { atMost: 0 });
  balanceOfClient(ledger, findings);
  findings.safety(
    'ends that the last coordinator tells otherwise than they were heard',
    again.changed,
    { atMost: 0 },
  );
  findings.safety('tasks that one key became twice', duplicatesOf(ledger), { atMost: 0 });
  const isExcused: Parameters<typeof needlessStarts>[1] = (before, after) =>
    failings.some(
      ({ fromMs, untilMs }) => fromMs < after.atMs && before.atMs < untilMs + STALE_START_MS,
    );
  findings.safety(
    'second starts that no failing disk explains',
    needlessStarts(swarm.journal, isExcused),
    { atMost: 0 },
  );
  const refused = ledger.rows.filter(({ refusals }) => refusals.length > 0).length;
  const kinds = [...new Set(ledger.refusals.map(({ type }) => type))].join(', ');
  console.error(`  ${ledger.refusals.length} refusals (${kinds}) of ${refused} tasks`);
}

/** A file that takes all room that there is, and what others give back. Dispose of it: there is room again. */
class Ballast implements Disposable {
  readonly #path: string;
  readonly #file: number;
  readonly #timer: NodeJS.Timeout;
  #isGone = false;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'a');
    this.#fill();
    this.#timer = setInterval(() => {
      this.#fill();
    }, FILL_INTERVAL_MS);
  }

  [Symbol.dispose](): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearInterval(this.#timer);
    closeSync(this.#file);
    rmSync(this.#path);
  }

  #fill(): void {
    for (let bytes = 1024 * 1024; bytes >= 1024; bytes /= 4) {
      const piece = Buffer.alloc(bytes);
      try {
        for (;;) writeSync(this.#file, piece);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
    fsyncSync(this.#file);
  }
}
