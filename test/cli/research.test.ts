/** A walk through prices on a real swarm: what it reports, what the coordinator has learnt from it, and what it has not. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type SwarmClient } from '@quic-swarm/client';
import type { ReasoningTypeRow } from '@quic-swarm/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ended } from '../support/program.ts';
import { Workplace, until } from './programs.ts';

const HORIZON = 5;
const HISTORY = 120;
const STEPS = 40;
const ROWS = 400;

/** Prices whose volatility comes and goes; the same in every run. */
function pricesOf(seed: number): number[] {
  let state = seed;
  let level = 100;
  return Array.from({ length: ROWS }, (_, row) => {
    state = (state * 48_271 + 11) % 2_147_483_647;
    const shock = state / 2_147_483_647 - 0.5;
    level *= Math.exp(shock * (0.02 + 0.015 * Math.sin(row / 25)));
    return Number(level.toFixed(6));
  });
}

const a = pricesOf(1);
const b = pricesOf(2);

let workplace: Workplace;
let address: string;
let series: string;
/** Sees what the coordinator has learnt without a program of its own for each look. */
let client: SwarmClient;

beforeAll(async () => {
  workplace = new Workplace();
  const lines = a.map((value, row) => `${value},${b[row]}`);
  series = workplace.file('prices.csv', ['A,B', ...lines].join('\n'));
  ({ address } = await workplace.coordinator());
  const stateDirectory = join(workplace.folder, 'quic-swarm');
  client = await connect({ address, security: { stateDirectory } });
});

afterAll(async () => {
  await client.close();
  await workplace[Symbol.asyncDispose]();
});

interface Json {
  readonly [name: string]: unknown;
}

async function swarm(...words: string[]): Promise<Ended & { readonly json: Json }> {
  const ended = await workplace.run('swarm', [...words, '--address', address, '--json']);
  return { ...ended, json: JSON.parse(ended.stdout) as Json };
}

function forecast(...words: string[]): string[] {
  const walk = ['--horizon', String(HORIZON), '--history', String(HISTORY), '--series', series];
  return ['research', 'forecast', ...walk, ...words];
}

/** The logarithm of the root of the mean squared log return of rows first … last, by its definition. */
function logVolatility(prices: number[], first: number, last: number): number {
  let sum = 0;
  for (let row = first; row <= last; row += 1) {
    sum += Math.log((prices[row] ?? 0) / (prices[row - 1] ?? 0)) ** 2;
  }
  return Math.log(Math.sqrt(sum / (last - first + 1)));
}

async function typeRow(): Promise<ReasoningTypeRow | undefined> {
  const types = await client.reasoning('types');
  return types.find(({ taskType }) => taskType === 'VolatilityForecast');
}

describe('swarm research forecast', () => {
  it('says what is missing when no agent can forecast', async () => {
    const { code, json } = await swarm(...forecast('--column', 'A'));
    expect(code).toBe(69);
    expect(json['error']).toMatchObject({
      message: 'No agent is connected that computes VolatilityForecast.',
      hint: expect.stringContaining('pattern') as string,
    });
  });

  it('compares what was learnt with what others would have forecast, and learns from each outcome', async () => {
    await workplace.agent(address, 'p-1', 'pattern');
    await until(async () => (await typeRow()) !== undefined);
    const plot = join(workplace.folder, 'regret.svg');
    const words = ['--column', 'A,B', '--stride', '2', '--steps', String(STEPS), '--plot', plot];
    const { code, json, stderr } = await swarm(...forecast(...words));
    expect([code, stderr]).toEqual([0, `Picture: ${plot}\n`]);
    expect(json).toMatchObject({ tasks: 2 * STEPS, steps: STEPS, outcomesBefore: 0 });
    const error = json['error'] as Record<string, number>;
    const losses = [a, b].flatMap((prices) =>
      Array.from({ length: STEPS }, (_, step) => {
        const row = HISTORY + 2 * step;
        const actual = logVolatility(prices, row + 1, row + HORIZON);
        return (logVolatility(prices, row - 19, row) - actual) ** 2;
      }),
    );
    const persistence = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    expect(error['persistence']).toBeCloseTo(persistence, 9);
    const arms = json['arms'] as { used: number; error: number }[];
    const errors = arms.map((arm) => arm.error);
    expect(arms.reduce((sum, { used }) => sum + used, 0)).toBe(2 * STEPS);
    expect(error['bestFixedInHindsight']).toBeCloseTo(Math.min(...errors), 12);
    const mean = errors.reduce((sum, each) => sum + each, 0) / errors.length;
    expect(error['random']).toBeCloseTo(mean, 12);
    expect(errors).toContain(error['fixed']);
    expect(readFileSync(plot, 'utf8')).toContain('prefers-color-scheme:dark');
  });

  it('has shown the learner only what it would have seen without the comparison', async () => {
    const row = await typeRow();
    const perTask = (row?.recorded ?? 0) / (2 * STEPS);
    // The arm that was used and its free counterfactual; as much again of a shadow where there was time for one.
    expect(perTask).toBeGreaterThanOrEqual(1);
    expect(perTask).toBeLessThanOrEqual(4);
    // Every task was told its outcome, those of the last steps included.
    expect(row?.resolved).toBeGreaterThanOrEqual(2 * STEPS);
  });

  it('ends on Ctrl-C with what is known by then', async () => {
    const before = (await typeRow())?.resolved ?? 0;
    const words = [...forecast('--column', 'A,B'), '--address', address, '--json'];
    const program = workplace.start('swarm', words);
    await until(async () => ((await typeRow())?.resolved ?? 0) > before + 4);
    program.kill('SIGINT');
    const { code, stdout } = await program.ended;
    expect(code).toBe(130);
    const json = JSON.parse(stdout) as Json;
    expect(json).toMatchObject({ isComplete: false, outcomesBefore: before });
    expect(json['steps']).toBeGreaterThan(2);
  });
});

describe('what was learnt', () => {
  const rows = async (): Promise<unknown> => {
    const arms = await client.reasoning('arms', { taskType: 'VolatilityForecast' });
    return arms.map(({ armId, scored, meanUtility }) => ({
      armId,
      scored,
      meanUtility,
    }));
  };

  it('leaves with a file, is forgotten, and comes back', async () => {
    const file = join(workplace.folder, 'learnt.bank');
    const learnt = await rows();
    const { json: shown } = await swarm('reasoning', 'show', 'VolatilityForecast');
    expect(shown['type']).toEqual(await typeRow());
    const { json: listed } = await swarm('reasoning', 'ls');
    expect(listed['types']).toEqual(await client.reasoning('types'));
    const { json: agents } = await swarm('reasoning', 'agents', 'VolatilityForecast');
    expect(agents['agents']).toMatchObject([{ agentId: 'p-1' }]);
    expect((await swarm('reasoning', 'export', file)).json).toMatchObject({ file });
    expect(statSync(file).size).toBeGreaterThan(100);
    const refused = await swarm('reasoning', 'reset', 'VolatilityForecast');
    expect(refused.code).toBe(64);
    expect(await rows()).toEqual(learnt);
    expect((await swarm('reasoning', 'reset', 'VolatilityForecast', '--yes')).code).toBe(0);
    expect((await typeRow())?.resolved).toBe(0);
    expect((await swarm('reasoning', 'import', file)).code).toBe(0);
    expect(await rows()).toEqual(learnt);
    const no = workplace.file('no.bank', 'nonsense');
    expect((await swarm('reasoning', 'import', no)).code).toBe(64);
  });

  it('is told in words, and with reasons', async () => {
    const { json: items } = await swarm('reasoning', 'items', 'VolatilityForecast');
    expect((items['items'] as Json[]).length).toBeGreaterThan(0);
    const { json: why } = await swarm('reasoning', 'explain', 'VolatilityForecast');
    expect(why['explanation']).toMatchObject({ taskType: 'VolatilityForecast' });
    const unknown = await swarm('reasoning', 'show', 'my.task');
    expect([unknown.code, unknown.json['error']]).toMatchObject([
      1,
      { type: 'EXPERIENCE_NOT_FOUND' },
    ]);
  });
});

const HANDLERS = `
export const tunable = { 'my.forecast': { arms: [{ x: 0 }, { x: 1 }] } };
export default {
  'my.forecast': (input, context) => {
    const x = context.arm?.x ?? 0;
    context.predict({ mean: x });
    return { x };
  },
};
`;

describe('a task of a user', () => {
  it('is given parameters, told its outcome once, and explained', async () => {
    const handlers = workplace.file('handlers.mjs', HANDLERS);
    await workplace.agent(address, 'mine', 'compute', '--handlers', handlers);
    const input = workplace.file('input.json', '{}');
    const submit = ['submit', 'compute', '--task', 'my.forecast', '--input', input, '--learn'];
    const ended = await swarm(...submit, '--context', '0.5,-1', '--series-id', 's', '--step', '3');
    expect(ended.code).toBe(0);
    const taskId = String(ended.json['taskId']);
    const told = await swarm('outcome', taskId, '--value', '-0.5', '--step', '4');
    expect([told.code, told.json]).toEqual([0, { taskId, outcome: { actual: -0.5, step: 4 } }]);
    const again = await swarm('outcome', taskId, '--value', '-0.5');
    expect([again.code, again.json['error']]).toMatchObject([1, { type: 'OUTCOME_EXISTS' }]);
    const { x } = ended.json['result'] as { x: number };
    const { json } = await swarm('reasoning', 'explain', taskId);
    expect(json['explanation']).toMatchObject({ taskType: 'my.forecast', armId: `x=${x}` });
    const stranger = await swarm(...submit.slice(0, -1));
    const untold = await swarm('outcome', String(stranger.json['taskId']), '--utility', '1');
    expect(untold.json['error']).toMatchObject({ type: 'EXPERIENCE_NOT_FOUND' });
  });
});
