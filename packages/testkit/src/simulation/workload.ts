/** What the users of a simulated swarm want: when each task is submitted, with which options, and who changes his mind. */
import type { SubmissionTerms, Submission } from './submission.ts';
import { TASK_TYPES, ZONES, type Plan, type TaskFeature } from './plan.ts';
import type { RandomStream } from './random-stream.ts';
import type { Fate } from './work.ts';
import type { World } from './world.ts';

/** Data sets that tasks refer to. */
const DATASETS = ['01', '02', '03', '04', '05'].map((end) => `sha256:${'0'.repeat(62)}${end}`);

/** Idempotency keys are few, so that they meet. */
const KEYS = 4;

/** What fails late is a dead letter when the faults are over. */
const DEAD_LETTERS_MS = 1000;

type Changeable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Lets the clients of the world submit what the plan says. */
export function scheduleWorkload(world: World, plan: Plan): void {
  const random = world.random.fork('workload');
  for (let number = 1; number <= plan.tasks; number += 1) {
    // Each task has its own stream: what one asks for does not change the others.
    scheduleTask(world, plan, number, random.fork(`task ${number}`));
  }
  const { deadLettersEveryMs } = plan;
  if (deadLettersEveryMs === undefined) return;
  lookAfterDeadLetters(world, plan, deadLettersEveryMs, random.fork('dead letters'));
}

/** Now and then somebody looks at the dead letters, while tasks are submitted and for a while afterwards. */
function lookAfterDeadLetters(
  world: World,
  plan: Plan,
  everyMs: number,
  random: RandomStream,
): void {
  world.clock.after(random.between(0.3, 1.7) * everyMs, () => {
    if (world.clock.nowMs > plan.durationMs + DEAD_LETTERS_MS) return;
    const client = world.clients.get(random.pick(plan.clients));
    client?.after(0, () => client.deadLetters.look());
    lookAfterDeadLetters(world, plan, everyMs, random);
  });
}

function scheduleTask(world: World, plan: Plan, number: number, random: RandomStream): void {
  const client = world.clients.get(random.pick(plan.clients));
  const submission = submissionOf(world, plan, number, random);
  // Many at once, now and then.
  const atMs = random.chance(0.3) ? plan.durationMs / 10 : random.between(0, plan.durationMs);
  world.clock.at(atMs, () => {
    if (client?.isRunning !== true) return;
    if (client.isFrozen) client.after(0, () => client.ledger.submit(submission));
    else client.ledger.submit(submission);
  });
  const changesAtMs = atMs + random.magnitude(0.1, plan.durationMs);
  const [cancels, abandons] = [random.chance(plan.cancelRate), random.chance(plan.abandonRate)];
  if (!cancels && !abandons) return;
  world.clock.at(changesAtMs, () => {
    client?.after(0, () => {
      if (cancels) client.ledger.cancel(number);
      else client.ledger.abandon(number);
    });
  });
}

function submissionOf(world: World, plan: Plan, number: number, random: RandomStream): Submission {
  const taskType = random.pick(Object.keys(TASK_TYPES));
  const has = (feature: TaskFeature, rate = 0.4): boolean => {
    const isDrawn = random.chance(rate);
    return isDrawn && plan.taskFeatures.has(feature);
  };
  const key = has('keys') ? random.below(KEYS) : undefined;
  // The same key means the same input.
  const work = key === undefined ? number : 1000 + key;
  const workRandom =
    key === undefined ? random.fork('work') : world.random.fork(`work of key ${key}`);
  addWork(world, plan, work, workRandom);
  const terms: Changeable<SubmissionTerms> = { taskType, datasets: [], watch: 'result' };
  if (key !== undefined) {
    terms.taskType = 'my.task';
    terms.idempotencyKey = `key ${key}`;
  }
  if (has('watchLevels')) terms.watch = random.pick(['all', 'all', 'none']);
  if (has('priorities')) terms.priority = 1 + random.below(5);
  if (has('retries')) terms.retry = retryOf(random);
  if (has('startLimits')) terms.scheduleToStartMs = Math.ceil(random.magnitude(5, 5000));
  if (has('attemptLimits')) terms.startToCloseMs = Math.ceil(random.magnitude(5, 2000));
  if (has('deadlines')) terms.scheduleToCloseMs = Math.ceil(random.magnitude(10, 10_000));
  if (has('delays')) terms.delayMs = Math.ceil(random.magnitude(1, 2000));
  if (has('onlyOnce')) terms.idempotent = false;
  if (has('endsWithClient')) terms.onClientLoss = 'cancel';
  // Whoever submits with the same key asks for the same.
  if (key === undefined && has('shards')) {
    terms.shards = random.chance(0.3) ? 'auto' : 1 + random.below(5);
    terms.positions = random.chance(0.3) ? 1_000_000 : 1 + random.below(20);
  }
  if (has('fairness', 0.7)) terms.fairnessKey = `user ${random.below(3)}`;
  if (has('hedging', 0.7)) terms.hedge = true;
  // What has not been submitted yet, or is not durable enough, is refused.
  if (has('dependencies') && number > 1)
    terms.after = [world.names.idOf(1 + random.below(number - 1))];
  if (has('durable', 0.6) || plan.taskFeatures.has('durableOnly')) terms.durable = true;
  if (has('datasets')) {
    terms.datasets = DATASETS.filter(() => random.chance(0.3));
  }
  if (has('labels')) terms.labels = labelsWanted(random);
  if (has('learning', 0.7)) terms.learn = learnWanted(number, random);
  return { number, work, terms };
}

function learnWanted(number: number, random: RandomStream): NonNullable<SubmissionTerms['learn']> {
  const context = Float64Array.from({ length: random.below(3) }, () => random.between(-1, 1));
  const series = random.chance(0.5) ? { seriesId: `series ${random.below(2)}` } : {};
  return { context, step: number, shadow: random.chance(0.8), ...series };
}

function labelsWanted(random: RandomStream): NonNullable<SubmissionTerms['labels']> {
  const zone = random.pick(ZONES);
  return random.pick([{ zone }, { fast: 'yes' }, { zone, fast: 'yes' }]);
}

function retryOf(random: RandomStream): NonNullable<SubmissionTerms['retry']> {
  return {
    initialIntervalMs: Math.ceil(random.magnitude(1, 500)),
    maximumIntervalMs: 1000,
    maximumAttempts: 1 + random.below(4),
    maximumDeliveries: 1 + random.below(4),
    ...(random.chance(0.2) ? { nonRetryableErrorTypes: ['HANDLER_FAILED'] } : {}),
  };
}

function addWork(world: World, plan: Plan, number: number, random: RandomStream): void {
  if (world.works.has(number)) return;
  const { computeMsMax, handlerFaults, handlerFaultRate, taskFeatures } = plan;
  const fates = Array.from({ length: 4 }, (): Fate => {
    const goesWrong = random.chance(handlerFaultRate);
    return goesWrong && handlerFaults.length > 0 ? random.pick(handlerFaults) : 'succeeds';
  });
  world.works.set(number, {
    number,
    computeMs: random.magnitude(0.02, computeMsMax),
    chunks: taskFeatures.has('chunks') && random.chance(0.5) ? 1 + random.below(5) : 0,
    progressReports: taskFeatures.has('progress') && random.chance(0.5) ? 1 + random.below(3) : 0,
    fates,
    stopsAfterMs: random.chance(0.7) ? random.magnitude(0.1, 300) : undefined,
  });
}
