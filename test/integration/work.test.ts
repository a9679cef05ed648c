/** The main job, end to end, over both transports: every kind of work, its results compared with brute force. */
import { readFileSync } from 'node:fs';
import { TestSwarm } from '@quic-swarm/testkit';
import { isTerminal } from '@quic-swarm/protocol';
import { describe, expect, it } from 'vitest';

const PRICES = new URL('../../examples/data/eu-stock-markets.csv', import.meta.url);
const INDICES = ['DAX', 'SMI', 'CAC', 'FTSE'];

function readPrices(): Map<string, Float64Array> {
  const [head = '', ...rows] = readFileSync(PRICES, 'utf8').trim().split('\n');
  const names = head.split(',');
  const cells = rows.map((row) => row.split(',').map(Number));
  return new Map(
    names.map((name, column) => [
      name,
      Float64Array.from(cells, (row) => row[column] ?? Number.NaN),
    ]),
  );
}

function zNormalise(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const sd = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
  return values.map((x) => (sd < 1e-12 * Math.max(1, Math.abs(mean)) ? 0 : (x - mean) / sd));
}

/** The textbook recurrence over the whole table. */
function dtw(a: Float64Array, b: Float64Array, band: number): number {
  const table = Array.from({ length: a.length + 1 }, () =>
    new Float64Array(b.length + 1).fill(Infinity),
  );
  (table[0] as Float64Array)[0] = 0;
  for (let i = 1; i <= a.length; i++) {
    for (let j = Math.max(1, i - band); j <= Math.min(b.length, i + band); j++) {
      const [row, above] = [table[i] as Float64Array, table[i - 1] as Float64Array];
      const cost = ((a[i - 1] ?? 0) - (b[j - 1] ?? 0)) ** 2;
      row[j] = cost + Math.min(above[j] ?? 0, above[j - 1] ?? 0, row[j - 1] ?? 0);
    }
  }
  return Math.sqrt(table.at(-1)?.at(-1) ?? Number.NaN);
}

function bruteForceSearch(
  series: Float64Array,
  query: Float64Array,
  band: number,
  topK: number,
  zone: number,
  exclude: { start: number; end: number },
): { start: number; distance: number }[] {
  const z = zNormalise(query);
  const all: { start: number; distance: number }[] = [];
  for (let start = 0; start + query.length <= series.length; start++) {
    if (start < exclude.end && start + query.length > exclude.start) continue;
    all.push({
      start,
      distance: dtw(z, zNormalise(series.slice(start, start + query.length)), band),
    });
  }
  all.sort((a, b) => a.distance - b.distance || a.start - b.start);
  const best: { start: number; distance: number }[] = [];
  for (const window of all) {
    if (best.length === topK) break;
    if (best.every(({ start }) => Math.abs(start - window.start) >= zone)) best.push(window);
  }
  return best;
}

/** Makes bytes by their index, in a loop: a callback of `map` for each of 40 million takes seconds. */
function eachByte(count: number, byteAt: (index: number) => number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let i = 0; i < count; i++) bytes[i] = byteAt(i);
  return bytes;
}

function pearson(a: Float64Array, b: Float64Array): number {
  const mean = (x: Float64Array): number => x.reduce((sum, v) => sum + v, 0) / x.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((x, i) => {
    const y = b[i] ?? 0;
    ab += (x - ma) * (y - mb);
    aa += (x - ma) ** 2;
    bb += (y - mb) ** 2;
  });
  return ab / Math.sqrt(aa * bb);
}

describe.each(['memory', 'quic'] as const)('a swarm over %s', (transport) => {
  it('computes all five kinds of work on real prices', async () => {
    await using swarm = await TestSwarm.start({
      transport,
      agents: (['pattern', 'strategy', 'feature', 'trainer', 'reasoning'] as const).map((type) => ({
        id: `${type}-1`,
        type,
      })),
    });
    const client = await swarm.connect();
    const prices = readPrices();
    const dax = prices.get('DAX') as Float64Array;
    const { datasetId } = await client.putTable(Object.fromEntries(prices));

    const [start, end] = [1796, 1860];
    const found = await client.run('PatternMatch', {
      series: { datasetId, column: 'DAX' },
      query: { datasetId, column: 'DAX', start, end },
      excludeRows: { start, end },
      algorithm: 'dtw',
      band: 6,
      topK: 3,
    });
    const expected = bruteForceSearch(dax, dax.slice(start, end), 6, 3, 16, { start, end });
    expect(found.matches.map((match) => match.start)).toEqual(expected.map((match) => match.start));
    found.matches.forEach((match, k) =>
      expect(match.distance).toBeCloseTo(expected[k]?.distance ?? 0, 9),
    );

    const correlation = await client.run('StrategyCorrelation', {
      columns: INDICES.map((name) => ({ name, series: { datasetId, column: name } })),
      method: 'pearson',
    });
    INDICES.forEach((a, i) =>
      INDICES.forEach((b, j) => {
        const r = pearson(prices.get(a) as Float64Array, prices.get(b) as Float64Array);
        expect(correlation.matrix[i * 4 + j]).toBeCloseTo(i === j ? 1 : r, 9);
      }),
    );
    expect([...correlation.overlap]).toEqual(Array<number>(16).fill(1860));

    const features = await client.run('FeatureEngineering', {
      series: { datasetId, column: 'DAX' },
      indicators: ['sma20'],
    });
    const sma = features.columns.find(({ name }) => name === 'sma20')?.values ?? new Float64Array();
    expect(sma).toHaveLength(1860);
    expect(sma[18]).toBeNaN();
    for (const row of [19, 500, 1859]) {
      const mean = dax.slice(row - 19, row + 1).reduce((sum, x) => sum + x, 0) / 20;
      expect(sma[row]).toBeCloseTo(mean, 8);
    }

    // One step against the gradient must lower the loss, by about step × |gradient|².
    const training = { series: { datasetId, column: 'DAX' }, lags: 5, hidden: [4], seed: 3 };
    const before = await client.run('NeuralTraining', training);
    const gradient = Float64Array.from(before.values);
    expect(before.length).toBe(5 * 4 + 4 + 4 + 1);
    const at = async (parameters: Float64Array): Promise<number> =>
      (await client.run('NeuralTraining', { ...training, parameters })).lossBefore;
    const base = new Float64Array(before.length).map((_, k) => Math.sin(k + 1) / 4);
    const { values, lossBefore } = await client.run('NeuralTraining', {
      ...training,
      parameters: base,
    });
    for (const k of [0, 7, 20, 28]) {
      const h = 1e-5;
      const [up, down] = [base.slice(), base.slice()];
      up[k] = (up[k] ?? 0) + h;
      down[k] = (down[k] ?? 0) - h;
      const slope = ((await at(up)) - (await at(down))) / (2 * h);
      expect(values[k]).toBeCloseTo(slope, 6);
    }
    expect(gradient.every(Number.isFinite) && Number.isFinite(lossBefore)).toBe(true);

    const verdict = await client.run('ReasoningJudge', {
      taskType: 'PatternMatch',
      candidateArmId: 'wide',
      incumbentArmId: 'narrow',
      experiences: [],
    });
    expect(verdict).toMatchObject({ decision: 'insufficient', pairs: 0 });

    const status = swarm.coordinator.status();
    expect(status.connections.agents).toBe(5);
    expect(status.byTaskType['PatternMatch']).toMatchObject({ succeeded: 1, failed: 0 });
    expect(status.byTaskType['NeuralTraining']?.succeeded).toBe(10);
    expect(status.tasks.submitted).toBe(14);
    expect(status.errorsByType).toEqual({});
  });

  it('passes 40 MB in and 40 MB out while small tasks keep flowing', async () => {
    const megabytes = 40 * 1024 * 1024;
    await using swarm = await TestSwarm.start({
      transport,
      agents: [
        {
          id: 'c',
          type: 'compute',
          slots: 4,
          handlers: {
            'bytes.mirror': (input) => {
              const bytes = input as Uint8Array;
              return eachByte(bytes.length, (i) => 255 - (bytes[i] ?? NaN));
            },
            'number.double': (input) => (input as number) * 2,
          },
        },
      ],
    });
    const client = await swarm.connect();
    const bytes = eachByte(megabytes, (i) => (i * 31) % 251);
    let large: Uint8Array | undefined;
    const mirroring = await client.submit<Uint8Array>('bytes.mirror', bytes);
    // Small tasks one after the other, until the large one is through.
    const ended = mirroring.outcome().then(({ result }) => {
      large = result;
    });
    let small = 0;
    while (!isTerminal(mirroring.state)) {
      expect(await client.run<number>('number.double', small)).toBe(small * 2);
      small += 1;
    }
    await ended;
    expect(small).toBeGreaterThan(5);
    expect(large).toHaveLength(megabytes);
    for (const i of [0, 1, 65_535, 65_536, 262_144, megabytes - 1]) {
      expect((large as Uint8Array)[i]).toBe(255 - ((i * 31) % 251));
    }
  });

  it('tells progress and partial results, cancels, and maps with bounded concurrency', async () => {
    let running = 0;
    let most = 0;
    await using swarm = await TestSwarm.start({
      transport,
      agents: [
        {
          id: 'c',
          type: 'compute',
          slots: 50,
          handlers: {
            count: async (input, { emit, progress }) => {
              for (let n = 0; n < (input as number); n++) {
                emit(n);
                progress((n + 1) / (input as number));
              }
              return 'done';
            },
            forever: async (_input, { signal }) =>
              new Promise((_resolve, reject) => {
                signal.addEventListener('abort', () => {
                  reject(new Error('stopped'));
                });
              }),
            square: async (input) => {
              running += 1;
              most = Math.max(most, running);
              await new Promise(setImmediate);
              running -= 1;
              return (input as number) ** 2;
            },
          },
        },
      ],
    });
    const client = await swarm.connect();
    const counting = await client.submit<string>('count', 20);
    const chunks: unknown[] = [];
    for await (const chunk of counting.chunks()) chunks.push(chunk);
    expect(chunks).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(await counting.result()).toBe('done');

    const forever = await client.submit('forever', null);
    await forever.cancel('enough');
    await expect(forever.result()).rejects.toMatchObject({
      type: 'TASK_CANCELLED',
      code: 'CANCELLED',
    });
    const aborting = new AbortController();
    const aborted = await client.submit('forever', null, { signal: aborting.signal });
    aborting.abort();
    await expect(aborted.result()).rejects.toMatchObject({ code: 'CANCELLED' });

    const results: unknown[] = [];
    const inputs = Array.from({ length: 300 }, (_, n) => n);
    for await (const { result } of client.map<number, number>('square', inputs, { concurrency: 7 }))
      results.push(result);
    expect(results).toEqual(inputs.map((n) => n ** 2));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(7);
  });
});
