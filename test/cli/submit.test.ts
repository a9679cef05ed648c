import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pearson, rsi, searchByDtw, sma } from './brute-force.ts';
import type { Program } from '../support/program.ts';
import { Workplace } from './programs.ts';

const HANDLERS = `
export default {
  'my.sum': (input) => ({ sum: input.numbers.reduce((sum, value) => sum + value, 0) }),
  'my.failure': () => { throw new RangeError('out of coffee'); },
  'my.endless': (_input, context) => { while (!context.isCancelled()); return 'stopped'; },
};
`;

/** 400 real closes of two indices; one gap in the second. */
const closes = readFileSync(
  new URL('../../examples/data/eu-stock-markets.csv', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .slice(1, 401)
  .map((line) => line.split(',').map(Number));
const dax = closes.map((row) => row[1] ?? 0);
const ftse = closes.map((row, index) => (index === 200 ? Number.NaN : (row[4] ?? 0)));

let workplace: Workplace;
let address: string;
let computeAgent: Program;
let series: string;

beforeAll(async () => {
  workplace = new Workplace();
  series = workplace.file(
    'two.csv',
    ['DAX,FTSE', ...dax.map((value, row) => `${value},${row === 200 ? '' : ftse[row]}`)].join('\n'),
  );
  ({ address } = await workplace.coordinator());
  const handlers = workplace.file('handlers.mjs', HANDLERS);
  [computeAgent] = await Promise.all([
    workplace.agent(address, 'mine', 'compute', '--handlers', handlers, '--log-level', 'trace'),
    workplace.agent(address, 'p-1', 'pattern'),
    workplace.agent(address, 's-1', 'strategy'),
    workplace.agent(address, 'f-1', 'feature'),
  ]);
});

afterAll(async () => {
  await workplace[Symbol.asyncDispose]();
});

async function submit(
  kind: string,
  ...words: string[]
): Promise<{ code: unknown; json: Json; stderr: string }> {
  const { code, stdout, stderr } = await workplace.run('swarm', [
    'submit',
    kind,
    '--address',
    address,
    '--json',
    ...words,
  ]);
  return { code, json: JSON.parse(stdout) as Json, stderr };
}

interface Json {
  readonly taskId: string;
  readonly state: string;
  readonly agentId: string;
  readonly result: Readonly<Record<string, unknown>>;
  readonly error: Readonly<Record<string, unknown>>;
}

describe('swarm submit', () => {
  it('finds the same patterns as brute force, with the query from rows of the series or from a file', async () => {
    const query = workplace.file('query.csv', ['shape', ...dax.slice(100, 120)].join('\n'));
    const common = ['--series', series, '--band', '2', '--top', '3'];
    const [rows, file] = await Promise.all([
      submit('pattern', ...common, '--column', 'DAX', '--query-rows', '100:120'),
      submit('pattern', ...common, '--column', 'FTSE', '--query', query),
    ]);
    const options = { band: 2, top: 3, zone: 5 };
    const shape = dax.slice(100, 120);
    const excluded = { start: 100, end: 120 };
    expectMatches(rows.json, searchByDtw(dax, shape, { ...options, excluded }));
    expectMatches(file.json, searchByDtw(ftse, shape, options));
    expect(rows).toMatchObject({ code: 0, json: { state: 'succeeded', agentId: 'p-1' } });
    // The gap in FTSE touches twenty windows; they are left out and counted.
    expect(file.json.result['stats']).toMatchObject({ nonFiniteWindows: 20 });
  });

  it('finds all windows within a distance, as JSON and as a table', async () => {
    const words = ['--series', series, '--column', 'DAX', '--query-rows', '100:120', '--band', '2'];
    const within = ['--within', '2', '--exclusion-zone', '0'];
    const [json, table] = await Promise.all([
      submit('pattern', ...words, ...within),
      workplace.run('swarm', [
        'submit',
        'pattern',
        '--address',
        address,
        ...words,
        ...within,
        '--plot',
        workplace.file('matches.svg', ''),
      ]),
    ]);
    const excluded = { start: 100, end: 120 };
    const all = searchByDtw(dax, dax.slice(100, 120), { band: 2, top: 400, zone: 0, excluded });
    const near = all.filter(({ distance }) => distance <= 2);
    expect(near.length).toBeGreaterThan(5);
    expectMatches(json.json, near);
    expect(json.json.result).toMatchObject({
      truncated: false,
      parameters: { maximumDistance: 2 },
    });
    const [head, , ...rows] = table.stdout.trim().split('\n');
    expect(head).toContain('DTW of 20 rows, band 2, distance up to 2, in DAX');
    // The rows of the table, then the line of what was searched.
    expect(rows).toHaveLength(near.length + 1);
    const [picture = ''] = /\S*matches\.svg/.exec(table.stderr) ?? [];
    expect(readFileSync(picture, 'utf8')).toContain(`from row ${near[0]?.start}<`);
  });

  it('finds the same in shards, with the paths', async () => {
    const words = [
      '--series',
      series,
      '--column',
      'DAX',
      '--query-rows',
      '100:120',
      '--within',
      '2',
    ];
    const [whole, split] = await Promise.all([
      submit('pattern', ...words, '--path'),
      submit('pattern', ...words, '--path', '--shards', '3'),
    ]);
    expect([whole.code, split.code]).toEqual([0, 0]);
    expect(split.json.result['matches']).toEqual(whole.json.result['matches']);
    const [first] = whole.json.result['matches'] as { path: number[] }[];
    expect(first?.path.slice(-2)).toEqual([19, 19]);
    expect(split.json.result).toMatchObject({ truncated: false, stats: { shards: 3 } });
  });

  it('correlates as brute force does, over the rows that both columns have', async () => {
    const picture = workplace.file('heat.svg', '');
    const { code, json } = await submit('correlation', '--series', series, '--plot', picture);
    expect(code).toBe(0);
    expect(readFileSync(picture, 'utf8')).toContain('Pearson correlation of 2 columns');
    const { columns, matrix, overlap } = json.result as {
      columns: string[];
      matrix: number[][];
      overlap: number[][];
    };
    expect(columns).toEqual(['DAX', 'FTSE']);
    const expected = pearson(dax, ftse);
    expect(matrix[0]?.[0]).toBe(1);
    expect(matrix[0]?.[1]).toBeCloseTo(expected, 10);
    expect(matrix[1]?.[0]).toBeCloseTo(expected, 10);
    expect(overlap).toEqual([
      [400, 399],
      [399, 399],
    ]);
  });

  it('computes indicators as brute force does, null in the warm-up', async () => {
    const words = [
      '--series',
      series,
      '--column',
      'DAX',
      '--indicators',
      'sma20,rsi14,macd,bollinger20',
    ];
    const { code, json } = await submit('features', ...words);
    expect(code).toBe(0);
    const columns = json.result['columns'] as Readonly<Record<string, (number | null)[]>>;
    expect(Object.keys(columns)).toEqual(
      expect.arrayContaining([
        'sma20',
        'rsi14',
        'macd',
        'macdSignal',
        'macdHistogram',
        'bollingerUpper',
        'bollingerMiddle',
        'bollingerLower',
      ]),
    );
    expectNear(columns['sma20'], sma(dax, 20));
    expectNear(columns['bollingerMiddle'], sma(dax, 20));
    expectNear(columns['rsi14'], rsi(dax, 14));
  });

  it('computes indicators of bars from the columns that it is given', async () => {
    const bars = dax.map((close, row) => [close + (row % 7), close - (row % 5), close, row % 3]);
    const file = workplace.file(
      'bars.csv',
      ['top,bottom,last,size', ...bars.map((bar) => bar.join(','))].join('\n'),
    );
    const columnsOf = '--column last --high top --low bottom --volume size'.split(' ');
    const words = ['--series', file, ...columnsOf, '--indicators', 'stochastic5-2,obv'];
    const { code, json } = await submit('features', ...words);
    expect(code).toBe(0);
    const columns = json.result['columns'] as Readonly<Record<string, (number | null)[]>>;
    let balance = 0;
    const expected = bars.map(([, , close = 0, size = 0], row) => {
      const before = bars[row - 1]?.[2] ?? Number.NEGATIVE_INFINITY;
      balance += Math.sign(close - before) * size;
      return balance;
    });
    expect(columns['obv']).toEqual(expected);
    const last = bars.slice(-5);
    const top = Math.max(...last.map(([high = 0]) => high));
    const bottom = Math.min(...last.map(([, low = 0]) => low));
    const place = (100 * ((dax.at(-1) ?? 0) - bottom)) / (top - bottom);
    expect(columns['stochastic5-2K']?.at(-1)).toBeCloseTo(place, 9);
  });

  it('runs functions of a handler file in threads, and reports what they throw', async () => {
    const input = workplace.file('input.json', '{"numbers": [1, 2, 3.5]}');
    const [sum, failure] = await Promise.all([
      submit('compute', '--task', 'my.sum', '--input', input),
      submit('compute', '--task', 'my.failure', '--input', input),
    ]);
    expect(sum).toMatchObject({ code: 0, json: { agentId: 'mine', result: { sum: 6.5 } } });
    expect(failure.code).toBe(1);
    expect(failure.json).toMatchObject({
      state: 'failed',
      error: { type: 'RangeError', message: 'out of coffee' },
    });
    expect(failure.stderr).toContain('out of coffee');
  });

  it('cancels its task on Ctrl-C and exits with 130', async () => {
    const input = workplace.file('nothing.json', 'null');
    const words = ['submit', 'compute', '--task', 'my.endless', '--input', input];
    const waiting = workplace.start('swarm', [...words, '--address', address, '--json']);
    await computeAgent.line('my.endless started');
    waiting.kill('SIGINT');
    const { code, stdout } = await waiting.ended;
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'cancelled' });
  });

  it('says why a task waits and ends it after --timeout with 75', async () => {
    const words = ['--series', series, '--column', 'DAX', '--timeout', '1500ms'];
    const { code, json, stderr } = await submit('train', ...words);
    expect(code).toBe(75);
    expect(json.state).toBe('timed_out');
    expect(stderr).toContain('Waiting: no agent for NeuralTraining is connected');
  });

  it('prints the id with --no-wait; tasks shows why it waits; it can be cancelled', async () => {
    const { json } = await submit('train', '--series', series, '--column', 'DAX', '--no-wait');
    const { taskId } = json;
    const queued = await workplace.run('swarm', ['tasks', address, '--state', 'queued', '--json']);
    expect(JSON.parse(queued.stdout)).toMatchObject({
      tasks: [{ taskId, taskType: 'NeuralTraining', pendingReason: 'NO_AGENT_OF_TYPE' }],
    });
    const cancelled = await workplace.run('swarm', [
      'cancel',
      taskId,
      '--address',
      address,
      '--json',
    ]);
    expect(cancelled.code).toBe(0);
    expect(JSON.parse(cancelled.stdout)).toEqual({
      taskId,
      cancelRequested: true,
      state: 'cancelled',
    });
  });
});

describe('swarm', () => {
  it('shows the coordinator as JSON, and its agents as a table that has a cordoned one first', async () => {
    const [status, agents] = await Promise.all([
      workplace.run('swarm', ['status', address, '--json']),
      workplace.run('swarm', ['agents', address, '--cordon', 's-1']),
    ]);
    expect(JSON.parse(status.stdout)).toMatchObject({ address, connections: { agents: 4 } });
    const [header, ...rows] = agents.stdout.trim().split('\n');
    expect(header).toMatch(/^agent +type +state/);
    expect(rows.map((row) => row.split(/ +/).slice(0, 3))).toEqual([
      ['s-1', 'strategy', 'cordoned'],
      ['f-1', 'feature', 'ready'],
      ['mine', 'compute', 'ready'],
      ['p-1', 'pattern', 'ready'],
    ]);
    const resumed = await workplace.run('swarm', ['agents', address, '--resume', 's-1', '--json']);
    const { agents: list } = JSON.parse(resumed.stdout) as { agents: { state: string }[] };
    expect(list.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready', 'ready']);
  });

  it('measures small tasks', async () => {
    const words = ['bench', address, '--sequential', '10', '--tasks', '100', '--json'];
    const { code, stdout } = await workplace.run('swarm', words);
    expect(code).toBe(0);
    const figures = JSON.parse(stdout) as {
      sequential: Readonly<Record<string, number>>;
      throughput: Readonly<Record<string, number>>;
    };
    expect(figures.sequential['p99Ms']).toBeGreaterThanOrEqual(figures.sequential['p50Ms'] ?? NaN);
    expect(figures.throughput).toMatchObject({ tasks: 100, inFlight: 64 });
    expect(figures.throughput['tasksPerSecond']).toBeGreaterThan(0);
  });
});

function expectMatches(
  { result }: Json,
  expected: readonly { start: number; distance: number }[],
): void {
  const matches = result['matches'] as { start: number; length: number; distance: number }[];
  expect(matches.map(({ start }) => start)).toEqual(expected.map(({ start }) => start));
  for (const [index, { distance, length }] of matches.entries()) {
    expect(distance).toBeCloseTo(expected[index]?.distance ?? NaN, 8);
    expect(length).toBe(20);
  }
}

function expectNear(
  actual: readonly (number | null)[] = [],
  expected: readonly (number | null)[],
): void {
  expect(actual.length).toBe(expected.length);
  for (const [row, value] of expected.entries()) {
    if (value === null) expect(actual[row]).toBeNull();
    else expect(actual[row]).toBeCloseTo(value, 8);
  }
}
