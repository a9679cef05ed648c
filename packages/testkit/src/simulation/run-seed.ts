/** Runs one seed from its plan to its end and says whether every rule held. */
import { CoresValid } from './checkers/cores-valid.ts';
import { CreditKept } from './checkers/credit-kept.ts';
import { checkEnd, isOver } from './checkers/everything-ends.ts';
import { DeadLettersKept } from './checkers/dead-letters-kept.ts';
import { KeptPromises } from './checkers/kept-promises.ts';
import { LeasesAgreed } from './checkers/leases-agreed.ts';
import { QueueBounded } from './checkers/queue-bounded.ts';
import { SingleEnd } from './checkers/single-end.ts';
import { SingleLease } from './checkers/single-lease.ts';
import { SingleStart } from './checkers/single-start.ts';
import { WorkGiven } from './checkers/work-given.ts';
import { Nemesis } from './nemesis.ts';
import type { Observer } from './observer.ts';
import { planOf, type Plan } from './plan.ts';
import { RandomStream } from './random-stream.ts';
import { formatLine } from './trace.ts';
import { Violation } from './violation.ts';
import { scheduleWorkload } from './workload.ts';
import { World } from './world.ts';

/** After the faults have stopped everything must have ended within so long, on the virtual clock. */
const HEALING_MS_MAX = 120_000;

/** A run that does not end by itself is stopped after so many alarms. */
const ALARMS_MAX = 3_000_000;

/** Whole-state checks cost as much as there are tasks: large swarms are looked at less often. */
const CHECKED_TASKS = 8;

/** Lines of a story: what happened last says most. */
const STORY_LINES_MAX = 120;

/** What became of a seed. */
export interface SeedReport {
  readonly seed: number;
  /** Two runs of the same seed have the same. */
  readonly fingerprint: string;
  readonly plan: Plan;
  readonly virtualMs: number;
  readonly alarms: number;
  /** What happened how often. */
  readonly counts: ReadonlyMap<string, number>;
  /** Undefined when every rule held. */
  readonly broken: BrokenRule | undefined;
  readonly lines: readonly string[];
}

/** A rule that did not hold. */
export interface BrokenRule {
  readonly rule: string;
  readonly sentence: string;
  /** Every line about the tasks and processes that it is about. */
  readonly story: readonly string[];
}

/** How a seed is run. */
export interface RunOptions {
  /** Keep the whole trace. @default false */
  readonly keepsLines?: boolean;
  /** A negative control: the disk loses what it said was synced, which must break a rule sooner or later. @default false */
  readonly isDiskLying?: boolean;
}

/** Runs a seed. Equal seeds give equal reports. */
export function runSeed(seed: number, options: RunOptions = {}): SeedReport {
  const { keepsLines = false, isDiskLying = false } = options;
  const drawn = planOf(new RandomStream(seed).fork('plan'));
  const plan = { ...drawn, disk: { ...drawn.disk, isLying: isDiskLying } };
  const world = worldOf(seed, plan);
  const broken = brokenRule(world, () => live(world, plan));
  return {
    seed,
    fingerprint: world.trace.fingerprint,
    plan,
    virtualMs: world.clock.nowMs,
    alarms: world.clock.rung,
    counts: world.counts,
    broken,
    lines: keepsLines ? world.trace.lines.map(formatLine) : [],
  };
}

/** All rules that a world without a lying disk keeps. */
export function checkersOf(world: World, everyNth: number): Observer[] {
  const { names } = world;
  return [
    new SingleEnd(names),
    new KeptPromises(names),
    new DeadLettersKept(names),
    new SingleLease(names),
    new LeasesAgreed(names),
    new SingleStart(names),
    new CreditKept(names),
    new QueueBounded(),
    new WorkGiven(names, everyNth),
    new CoresValid(everyNth),
  ];
}

function worldOf(seed: number, plan: Plan): World {
  const world = new World({ seed, ...plan });
  const everyNth = Math.max(1, Math.ceil(plan.tasks / CHECKED_TASKS));
  for (const checker of checkersOf(world, everyNth)) world.watchWith(checker);
  return world;
}

function live(world: World, plan: Plan): void {
  world.startCoordinator();
  for (const specification of plan.agents) world.startAgent(specification);
  for (const name of plan.clients) world.startClient(name);
  scheduleWorkload(world, plan);
  const nemesis = new Nemesis(world, plan);
  world.clock.runUntil(plan.durationMs, () => world.clock.rung > ALARMS_MAX);
  nemesis.stop();
  const everybodySubmittedMs = world.clock.nowMs;
  world.clock.runUntil(everybodySubmittedMs + HEALING_MS_MAX, () => {
    if (world.clock.rung > ALARMS_MAX) return true;
    return world.clock.rung % 16 === 0 && isOver(world);
  });
  if (world.clock.rung > ALARMS_MAX) {
    throw new Violation('no busy loop', `${ALARMS_MAX} things happened and there is no end.`);
  }
  checkEnd(world);
  world.declareHealed();
}

/** Runs it; whatever is thrown on the way is a rule that does not hold. */
function brokenRule(world: World, run: () => void): BrokenRule | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    const sentence = error instanceof Error ? error.message : String(error);
    const rule = error instanceof Violation ? error.rule : 'cores valid';
    const about = error instanceof Violation ? error.about : namesIn(world, sentence);
    world.note(`BROKEN: ${rule}: ${named(world, sentence)}`);
    const story = about.length === 0 ? world.trace.lines.map(formatLine) : world.trace.story(about);
    const place =
      error instanceof Error && !(error instanceof Violation) ? (error.stack ?? '') : '';
    return {
      rule,
      sentence: named(world, sentence),
      story: [...story.slice(-STORY_LINES_MAX), ...place.split('\n').slice(1, 4)],
    };
  }
}

const TASK_ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

function namesIn(world: World, sentence: string): string[] {
  return [...sentence.matchAll(TASK_ID)].map(([taskId]) => world.names.of(taskId));
}

function named(world: World, sentence: string): string {
  return sentence.replaceAll(TASK_ID, (taskId) => world.names.of(taskId));
}
