/** Lets the contestants do the workloads in turns: the same machine, the same minutes, an order that a seed shuffles. */
import { Crew, type CrewMeasured, type CrewSurroundings } from './crew.ts';
import { TimedOut } from './child-process.ts';
import { isInstalled } from './environment.ts';
import type { Bench, Contestant, Plan, Settings } from './model.ts';
import type { Peer } from '../peers/contract.ts';
import { Results } from './results.ts';
import { seededRandom, shuffled } from './statistics.ts';

/** How a bench is run. */
export interface RunOptions {
  readonly rounds: number;
  readonly isQuick: boolean;
  readonly seed: number;
  readonly surroundings: CrewSurroundings;
  readonly onProgress: (line: string) => void;
}

/** Loads the file of a peer. */
export async function loadPeer(name: string): Promise<Peer> {
  const { peer } = (await import(`../peers/${name}.js`)) as { peer: Peer };
  return peer;
}

/** Runs a bench to its end, whatever happens to its contestants. */
export async function runBench(bench: Bench, options: RunOptions): Promise<Results> {
  const results = new Results(bench);
  const crews = await gather(bench, options, results);
  const random = seededRandom(options.seed);
  try {
    for (let round = 0; round < options.rounds; round += 1) {
      const here = crews.filter(({ contestant }) => round < roundsOf(contestant, options));
      const calm = here.filter(({ contestant }) => contestant.isRestless !== true);
      for (const plan of bench.plans) {
        options.onProgress(`round ${round + 1} of ${options.rounds}: ${plan.workload.name}`);
        for (const crew of shuffled(calm, random)) await measure(crew, plan, options, results);
      }
      for (const crew of here.filter((each) => !calm.includes(each))) {
        options.onProgress(`round ${round + 1} of ${options.rounds}: ${crew.contestant.name}`);
        for (const plan of bench.plans) await measure(crew, plan, options, results);
        await crew.stop();
      }
    }
  } finally {
    await Promise.all(crews.map(async (crew) => crew.stop()));
  }
  return results;
}

/** Those who can take part at all. */
async function gather(bench: Bench, options: RunOptions, results: Results): Promise<Crew[]> {
  const crews: Crew[] = [];
  for (const contestant of bench.contestants) {
    const peer = await loadPeer(contestant.peer);
    const missing = (peer.programs ?? []).filter((program) => !isInstalled(program));
    if (missing.length > 0) {
      results.skip(contestant, `${missing.join(' and ')} is not installed`);
      continue;
    }
    if (options.isQuick && contestant.isLong === true) {
      results.skip(contestant, '--quick leaves it out');
      continue;
    }
    crews.push(new Crew(contestant, peer, options.surroundings));
  }
  return crews;
}

async function measure(
  crew: Crew,
  plan: Plan,
  options: RunOptions,
  results: Results,
): Promise<void> {
  const { workload } = plan;
  const { contestant } = crew;
  const isMeant = contestant.workloads?.includes(workload.name) ?? true;
  if (!isMeant || results.isOut(contestant, workload)) return;
  try {
    await crew.start();
    if (!crew.isAbleTo(workload.ability)) return;
    const settings = settingsFor(contestant, plan, options.isQuick);
    const measured: CrewMeasured = await crew.measure(workload.name, settings);
    results.add(contestant, workload, measured);
  } catch (error) {
    // What hangs or fails once is out of this workload, and begins the next one with fresh processes.
    const outcome = error instanceof TimedOut ? 'timed out' : 'failed';
    const reason = error instanceof Error ? error.message : String(error);
    results.drop(contestant, workload, outcome, reason);
    options.onProgress(`${contestant.name}: ${workload.name} ${outcome}: ${firstLine(reason)}`);
    await crew.kill();
  }
}

function roundsOf({ roundsMax }: Contestant, { rounds, isQuick }: RunOptions): number {
  if (roundsMax === undefined) return rounds;
  return isQuick ? 1 : roundsMax;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

/** The most particular setting counts. */
function settingsFor(contestant: Contestant, plan: Plan, isQuick: boolean): Settings {
  const { workload, settings, quick } = plan;
  return {
    ...workload.settings,
    ...settings,
    ...(isQuick ? quick : {}),
    ...contestant.settings?.[workload.name],
  };
}
