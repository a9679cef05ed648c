/** What a walk has shown, for people: a table, the arms, and in words who forecasts better, whoever that is. */
import { tableLines, type TableColumn } from '../output/table.ts';
import type { CurveColour, RegretCurve, RegretPicture } from '../plot/regret-plot.ts';
import { armText } from './arms.ts';
import {
  FORECASTERS,
  type ArmScore,
  type ForecastScores,
  type ForecasterName,
  type Saving,
} from './forecast-scores.ts';

/** What was walked through. */
export interface WalkedThrough {
  readonly series: readonly string[];
  readonly horizon: number;
  readonly history: number;
  readonly stride: number;
  readonly steps: number;
  readonly stepsPlanned: number;
  /** Outcomes that the coordinator had of this task type before: perhaps of these very prices. */
  readonly outcomesBefore: number;
}

/** Too few outcomes for a learner to have learnt anything, and for an interval to mean much. */
const FEW_TASKS = 300;

const right = 'right' as const;

const NAMES: Readonly<Record<ForecasterName, string>> = {
  learned: 'learnt',
  fixed: 'fixed',
  random: 'random',
  persistence: 'persistence',
  har: 'HAR',
  bestFixedInHindsight: 'best in hindsight',
};

/** The lines of the report. */
export function forecastLines(scores: ForecastScores, walked: WalkedThrough): string[] {
  const { series, horizon, history, stride, steps } = walked;
  const every = stride === 1 ? 'every row' : `every ${stride} rows`;
  return [
    `Log volatility of ${series.join(', ')} over the next ${horizon} rows, ${every}: ${scores.tasks} tasks in ${steps} steps, analogues from the last ${history} rows`,
    ...errorTable(scores),
    '',
    ...armTable(scores),
    '',
    ...findings(scores, walked),
  ];
}

function errorTable(scores: ForecastScores): string[] {
  const { error, againstRandom, arms, best, fixed } = scores;
  const meanings: Readonly<Record<ForecasterName, string>> = {
    learned: 'the arm that the coordinator chose for each task',
    fixed: `the default arm, ${armText(arms[fixed]?.arm ?? {})}`,
    random: `any of the ${arms.length} arms`,
    persistence: 'as in the last 20 rows',
    har: 'regression on the last 5, 20 and 60 rows, refitted at each step',
    bestFixedInHindsight: `the best arm, had it been known: ${armText(arms[best]?.arm ?? {})}`,
  };
  const columns: TableColumn<ForecasterName>[] = [
    { title: 'forecast', text: (name) => NAMES[name] },
    { title: 'error', align: right, text: (name) => errorText(error[name]) },
    { title: 'saved', align: right, text: (name) => percent(againstRandom[name].share) },
    {
      title: '95 % interval',
      align: right,
      text: (name) => (name === 'random' ? '' : intervalText(againstRandom[name])),
    },
    { title: 'what it is', text: (name) => meanings[name] },
  ];
  const sorted = [...FORECASTERS].sort((a, b) => error[a] - error[b]);
  return [
    ...tableLines(columns, sorted),
    'error: mean squared error; saved: of the error of random arms',
  ];
}

function armTable({ arms, best, fixed, tasks }: ForecastScores): string[] {
  interface Row extends ArmScore {
    readonly index: number;
  }
  const columns: TableColumn<Row>[] = [
    { title: 'arm', text: ({ arm }) => armText(arm) },
    { title: 'used', align: right, text: ({ used }) => String(used) },
    { title: '', align: right, text: ({ used }) => `${Math.round((100 * used) / tasks)} %` },
    { title: 'error', align: right, text: ({ error }) => errorText(error) },
    {
      title: '',
      text: ({ index }) =>
        index === best ? 'best in hindsight' : index === fixed ? 'default' : '',
    },
  ];
  const rows = arms.map((score, index) => ({ ...score, index }));
  return tableLines<Row>(
    columns,
    rows.sort((a, b) => b.used - a.used || a.error - b.error),
  );
}

/** The sentences: how much learning has helped, and who forecasts better. */
export function findings(scores: ForecastScores, walked: WalkedThrough): string[] {
  const { learnedAgainst, gapClosed, error, tasks } = scores;
  const { steps, stepsPlanned, outcomesBefore } = walked;
  const sentences = [
    `Learning ${againstText(learnedAgainst.random, 'choosing at random')}${gapClosed > 0 ? `: ${percent(gapClosed)} of the way from random to the best arm` : ''}.`,
    `It ${againstText(learnedAgainst.fixed, 'the default arm')}.`,
    comparison('HAR', scores, 'har'),
    comparison('persistence', scores, 'persistence'),
  ];
  if (error.bestFixedInHindsight > error.har) {
    sentences.push('Not even the best arm in hindsight forecasts better than HAR.');
  }
  if (steps < stepsPlanned) {
    sentences.push(`The walk ended early, after ${steps} of ${stepsPlanned} steps.`);
  }
  if (tasks < FEW_TASKS) {
    sentences.push(`These are ${tasks} tasks: few to learn from, and few to judge by.`);
  }
  if (outcomesBefore > 0) {
    sentences.push(
      `The coordinator had learnt from ${outcomesBefore} outcomes before, perhaps from these very prices: begin anew with  swarm reasoning reset VolatilityForecast --yes`,
    );
  }
  return sentences;
}

/** Who wins, said without being asked: a baseline that is better is named first. */
function comparison(
  name: string,
  { error, learnedAgainst }: ForecastScores,
  other: 'har' | 'persistence',
): string {
  const saving = learnedAgainst[other];
  const subject = name === 'HAR' ? name : `${name[0]?.toUpperCase()}${name.slice(1)}`;
  const figures = (first: number, second: number): string =>
    `${errorText(first)} against ${errorText(second)}${isSure(saving) ? '' : ', which may be chance'}`;
  return error[other] < error.learned
    ? `${subject} forecasts better than the learnt analogues: ${figures(error[other], error.learned)}.`
    : `The learnt analogues forecast better than ${name}: ${figures(error.learned, error[other])}.`;
}

function againstText(saving: Saving, other: string): string {
  const { share } = saving;
  const size = percent(Math.abs(share)).replace(/^\+/, '');
  const interval = intervalText(saving);
  const which = `${size} of the error of ${other}${interval === '-' ? '' : ` (${interval})`}`;
  const sure = isSure(saving) ? '' : ', which may be chance';
  return `${share >= 0 ? 'saves' : 'costs another'} ${which}${sure}`;
}

/** The interval does not hold what would be no difference. */
function isSure({ lower, upper }: Saving): boolean {
  return lower > 0 || upper < 0;
}

/** Four decimals: errors of log volatilities are of the order of a quarter. */
function errorText(error: number): string {
  return error.toFixed(4);
}

function percent(share: number): string {
  if (!Number.isFinite(share)) return '-';
  return `${(100 * share).toFixed(1)} %`;
}

function intervalText({ lower, upper }: Saving): string {
  if (!Number.isFinite(lower)) return '-';
  return `${(100 * lower).toFixed(1)} to ${(100 * upper).toFixed(1)} %`;
}

/** The same for a program. */
export function forecastJson(scores: ForecastScores, walked: WalkedThrough): object {
  const { regret: _curves, best, fixed, arms, ...figures } = scores;
  const { steps, stepsPlanned, ...rest } = walked;
  return {
    ...figures,
    ...rest,
    steps,
    stepsPlanned,
    isComplete: steps === stepsPlanned,
    arms,
    defaultArm: arms[fixed]?.arm,
    bestArm: arms[best]?.arm,
    findings: findings(scores, walked),
  };
}

/** The same as curves. */
export function forecastPicture(scores: ForecastScores, walked: WalkedThrough): RegretPicture {
  const { regret, arms, best, tasks } = scores;
  const { series, horizon } = walked;
  const curve = (name: ForecasterName, colour: CurveColour): RegretCurve => ({
    label: name === 'fixed' ? 'default arm' : name === 'random' ? 'random arm' : NAMES[name],
    colour,
    values: regret[name],
  });
  return {
    title: `Forecasting the volatility of ${series.join(', ')}: error beyond that of the best arm`,
    subtitle: `Squared errors of the log volatility over ${horizon} rows added up, ${tasks} tasks; lower is better; best arm: ${armText(arms[best]?.arm ?? {})}`,
    curves: [
      curve('learned', 'blue'),
      curve('random', 'grey'),
      curve('fixed', 'orange'),
      curve('persistence', 'green'),
      curve('har', 'purple'),
    ],
    zeroLabel: 'best arm',
  };
}
