/**
 * The fifth kind of task: is one way of searching patterns better than another? Two arms, a narrow and a wide DTW
 * band, forecast the DAX five days ahead at a hundred days of its history: each looks for windows that resemble the
 * days before, among windows whose outcome was known by then, and forecasts the mean of what followed. The experiences
 * are real and few, so that the honest verdict is mostly "insufficient".
 */
import type { SwarmClient } from '@quic-swarm/client';
import type { InputOf, ReasoningExperience, ResultOf } from '@quic-swarm/protocol';
import type { DemoData, Finding } from './findings.ts';

const QUERY_ROWS = 30;
const HORIZON_ROWS = 5;
const FIRST_DAY = 400;
const DAYS_APART = 14;
const TOP_K = 5;

/** Loss that counts as utility 0: eight per cent in five days, over three standard deviations of these returns. */
const LOSS_SCALE = 0.08;

/** Searches under way at once: enough to keep an agent busy, few enough to draw progress. */
const IN_FLIGHT = 32;

const ARMS = [
  { armId: 'band-1', arm: { band: 1 } },
  { armId: 'band-6', arm: { band: 6 } },
] as const;

type Arm = (typeof ARMS)[number];

interface Case {
  readonly day: number;
  readonly arm: Arm;
}

/** How many searches the comparison needs, and hears when one is done. */
export interface ComparisonOptions {
  readonly onProgress: (fraction: number) => void;
}

/** Gathers the experiences by searching, then has them judged. */
export async function compareArms(
  swarm: SwarmClient,
  data: DemoData,
  { onProgress }: ComparisonOptions,
): Promise<Finding> {
  const prices = data.prices.get('DAX') ?? new Float64Array(0);
  const cases: Case[] = [];
  for (let day = FIRST_DAY; day + HORIZON_ROWS < prices.length; day += DAYS_APART) {
    for (const arm of ARMS) cases.push({ day, arm });
  }
  const startedMs = performance.now();
  const experiences: ReasoningExperience[] = [];
  const waiting = cases.values();
  const worker = async (): Promise<void> => {
    for (const next of waiting) {
      experiences.push(await experienceOf(swarm, data.datasetId, prices, next));
      onProgress(experiences.length / cases.length);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  const searchMs = performance.now() - startedMs;
  const [incumbent, candidate] = ARMS;
  const input: InputOf<'ReasoningJudge'> = {
    taskType: 'PatternMatch',
    candidateArmId: candidate.armId,
    incumbentArmId: incumbent.armId,
    experiences,
  };
  const handle = await swarm.submit('ReasoningJudge', input);
  const { result: verdict, error, agentId = '?', totalMs, computeMs } = await handle.outcome();
  if (verdict === undefined) throw error ?? new Error('The judge gave no verdict.');
  const figures = { ...verdict, searches: cases.length, searchMs };
  return {
    taskType: 'ReasoningJudge',
    agentId,
    totalMs,
    computeMs,
    figures,
    lines: [
      `Does a wider band forecast the DAX better? (${cases.length} pattern searches in ${Math.round(searchMs)} ms)`,
      `${figures.decision}: ${figures.explanation}`,
    ],
  };
}

/** One search, what it would have forecast on that day, and what came. */
async function experienceOf(
  swarm: SwarmClient,
  datasetId: string,
  prices: Float64Array,
  { day, arm: { arm, armId } }: Case,
): Promise<ReasoningExperience> {
  // The series ends where the outcome of a window was known on that day, and before the query begins.
  const end = day - QUERY_ROWS - HORIZON_ROWS;
  const input: InputOf<'PatternMatch'> = {
    series: { datasetId, column: 'DAX', start: 0, end },
    query: { datasetId, column: 'DAX', start: day - QUERY_ROWS, end: day },
    algorithm: 'dtw',
    topK: TOP_K,
    ...arm,
  };
  const handle = await swarm.submit('PatternMatch', input);
  const outcome = await handle.outcome();
  if (outcome.error !== undefined) throw outcome.error;
  const { matches } = outcome.result as ResultOf<'PatternMatch'>;
  const forecasts = matches.map(({ start, length }) => returnAfter(prices, start + length - 1));
  const mean = forecasts.reduce((sum, value) => sum + value, 0) / Math.max(1, forecasts.length);
  const issued: ReasoningExperience = {
    experienceId: `demo-${armId}-${day}`,
    taskId: outcome.taskId,
    agentId: outcome.agentId ?? 'demo-pattern',
    agentType: 'pattern',
    taskType: 'PatternMatch',
    context: new Float64Array(0),
    contextVersion: 0,
    arm: { ...arm },
    armId,
    // Both arms are tried in every case: nothing is left to chance.
    propensity: 1,
    predicted: { mean },
    baseline: 0,
    latencyMs: outcome.totalMs,
    computeMs: outcome.computeMs,
    issuedAtStep: day,
    seriesId: 'DAX',
  };
  // In two steps, as in real use: what was forecast is on record before anybody looks at what came.
  await swarm.recordExperience(issued);
  const actual = returnAfter(prices, day - 1);
  const loss = Math.abs(mean - actual);
  const utility = 1 - Math.min(loss / LOSS_SCALE, 1);
  const resolved = { ...issued, actual, loss, utility, resolvedAtStep: day + HORIZON_ROWS };
  await swarm.recordExperience(resolved);
  return resolved;
}

/** The logarithmic return over the horizon that begins at the close of a day. */
function returnAfter(prices: Float64Array, day: number): number {
  return Math.log((prices[day + HORIZON_ROWS] ?? Number.NaN) / (prices[day] ?? Number.NaN));
}
