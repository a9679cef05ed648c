/** One search over several agents: over real QUIC, compared with the search in one piece, and with agents that die. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QuicSwarmAgent, type TaskContext } from '@quic-swarm/agent';
import { connect, type SwarmClient } from '@quic-swarm/client';
import { QuicSwarmCoordinator, type CoordinatorNotice } from '@quic-swarm/coordinator';
import { searchPattern, type PatternSearchResult } from '@quic-swarm/kernels';
import type { PatternMatchInput } from '@quic-swarm/protocol';
import { TestSwarm } from '@quic-swarm/testkit';
import { MemoryNetwork, formatAddress } from '@quic-swarm/transport';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PATIENTLY, Program, ROOT } from '../support/program.ts';

const AGENT = join(ROOT, 'packages/cli/bin/agent.js');
const PRICES = new URL('../../examples/data/eu-stock-markets.csv', import.meta.url);

function daxPrices(): Float64Array {
  const [head = '', ...rows] = readFileSync(PRICES, 'utf8').trim().split('\n');
  const column = head.split(',').indexOf('DAX');
  return Float64Array.from(rows, (row) => Number(row.split(',')[column]));
}

/** A walk of random steps, the same for the same seed. */
function randomWalk(rows: number, seed: number): Float64Array {
  let state = seed >>> 0;
  let level = 0;
  return Float64Array.from({ length: rows }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (level += state / 2 ** 32 - 0.5);
  });
}

interface Search {
  readonly series: Float64Array;
  readonly start: number;
  readonly length: number;
  readonly algorithm: 'dtw' | 'lcss';
  readonly band: number;
  readonly topK?: number;
  readonly exclusionZone: number;
  /** A range search, unless there is a topK. */
  readonly maximumDistance?: number;
  readonly withPath?: boolean;
}

/** What one thread finds. */
function alone({ series, start, length, band, ...rest }: Search): PatternSearchResult {
  const end = start + length;
  return searchPattern({
    ...rest,
    series,
    query: series.slice(start, end),
    ...(rest.algorithm === 'dtw' ? { band } : { delta: band }),
    excludeRange: { start, end },
  });
}

async function inputOf(client: SwarmClient, search: Search): Promise<PatternMatchInput> {
  const { series, start, length, band, ...rest } = search;
  const { datasetId } = await client.putTable({ x: series });
  const column = { datasetId, column: 'x' };
  const end = start + length;
  return {
    series: column,
    query: { ...column, start, end },
    excludeRows: { start, end },
    ...rest,
    ...(rest.algorithm === 'dtw' ? { band } : { delta: band }),
  };
}

describe('a search in shards, over two agents of two threads', () => {
  const searches: readonly [string, Search, readonly ('auto' | number)[]][] = [
    [
      'prices, by DTW',
      {
        series: daxPrices(),
        start: 1796,
        length: 64,
        algorithm: 'dtw',
        band: 6,
        topK: 5,
        exclusionZone: 16,
      },
      [2, 5, 13],
    ],
    [
      'prices, by LCSS, which ties often',
      {
        series: daxPrices(),
        start: 900,
        length: 30,
        algorithm: 'lcss',
        band: 2,
        topK: 20,
        exclusionZone: 25,
      },
      [3, 50],
    ],
    [
      'a random walk of 200,000 points',
      {
        series: randomWalk(200_000, 11),
        start: 123_000,
        length: 64,
        algorithm: 'dtw',
        band: 6,
        topK: 10,
        exclusionZone: 500,
      },
      ['auto', 2, 3, 7, 16],
    ],
    [
      'all windows of a random walk within a distance, with their paths',
      {
        series: randomWalk(200_000, 11),
        start: 123_000,
        length: 64,
        algorithm: 'dtw',
        band: 6,
        exclusionZone: 30,
        maximumDistance: 2.5,
        withPath: true,
      },
      ['auto', 2, 9],
    ],
    [
      'the best of a random walk, with their paths',
      {
        series: randomWalk(200_000, 11),
        start: 60_000,
        length: 48,
        algorithm: 'dtw',
        band: 3,
        topK: 25,
        exclusionZone: 12,
        withPath: true,
      },
      [2, 11],
    ],
    [
      'more windows of a random walk than a result holds',
      {
        series: randomWalk(200_000, 11),
        start: 123_000,
        length: 32,
        algorithm: 'dtw',
        band: 2,
        exclusionZone: 8,
        maximumDistance: 8,
      },
      ['auto', 4],
    ],
    [
      'all windows of prices within a distance, by LCSS',
      {
        series: daxPrices(),
        start: 900,
        length: 30,
        algorithm: 'lcss',
        band: 2,
        exclusionZone: 0,
        maximumDistance: 0.4,
      },
      [2, 7],
    ],
  ];

  it.each(searches)('finds what one thread finds: %s', async (name, search, counts) => {
    const expected = alone(search);
    expect(expected.matches.length).toBeGreaterThan(3);
    expect(expected.truncated ?? false).toBe(name.startsWith('more'));
    await using swarm = await TestSwarm.start({
      transport: 'quic',
      agents: ['a', 'b'].map((id) => ({ id, type: 'pattern', threads: 2 })),
    });
    const client = await swarm.connect();
    const input = await inputOf(client, search);
    const positions = search.series.length - search.length + 1;
    for (const shards of counts) {
      const result = await client.run('PatternMatch', input, { shards });
      expect(result.matches, `${shards} shards`).toEqual(expected.matches);
      expect(result.truncated).toBe(expected.truncated);
      expect(result).not.toHaveProperty('candidates');
      // 199,937 positions are one shard of 100,000 and not two.
      const count = shards === 'auto' ? undefined : shards;
      expect(result.stats['shards']).toBe(count);
      expect(result.stats['attempts']).toBe(count);
      expect(result.stats['positions']).toBe(positions);
    }
    const [first, second] = swarm.coordinator.agents();
    expect(Math.min(first?.work.succeeded ?? 0, second?.work.succeeded ?? 0)).toBeGreaterThan(0);
    expect(swarm.coordinator.status().tasks.byState).toEqual({ succeeded: counts.length });
  });

  it('refuses a search that has no paths to give, and says what to do', async () => {
    await using swarm = await TestSwarm.start({
      transport: 'quic',
      agents: [{ id: 'a', type: 'pattern', threads: 2 }],
    });
    const client = await swarm.connect();
    const [, search] = searches[1] as (typeof searches)[0];
    const input = await inputOf(client, { ...search, withPath: true });
    for (const shards of [1, 2]) {
      await expect(client.run('PatternMatch', input, { shards })).rejects.toMatchObject({
        type: 'BAD_PARAMETER',
        hint: 'Set algorithm to dtw, or leave withPath out.',
      });
    }
  });

  it('refuses positions that the series does not have, instead of leaving windows out', async () => {
    await using swarm = await TestSwarm.start({
      transport: 'quic',
      agents: [{ id: 'a', type: 'pattern', threads: 2 }],
    });
    const client = await swarm.connect();
    const input = await inputOf(client, (searches[0] as (typeof searches)[0])[1]);
    await expect(
      client.run('PatternMatch', input, { shards: 2, positions: 1000 }),
    ).rejects.toMatchObject({ type: 'BAD_INPUT' });
  });

  it('is one task for who watches and asks, and its progress rises to the end', async () => {
    await using swarm = await TestSwarm.start({
      transport: 'quic',
      agents: [{ id: 'a', type: 'pattern', threads: 2 }],
    });
    const client = await swarm.connect();
    const search = (searches[2] as (typeof searches)[0])[1];
    const input = await inputOf(client, search);
    const handle = await client.submit('PatternMatch', input, { shards: 4, watch: 'all' });
    const fractions: number[] = [];
    for await (const { fraction } of handle.progress()) fractions.push(fraction);
    expect(fractions.at(-1)).toBe(1);
    const { state, attempt } = await handle.outcome();
    expect([state, attempt]).toEqual(['succeeded', 1]);
    const rows = await client.tasks();
    expect(rows.map(({ taskId }) => taskId)).toEqual([handle.id]);
    expect(rows[0]?.shards).toEqual({ count: 4, running: 0, succeeded: 4, attempts: 4 });
  });
});

describe('a task type of a user in shards', () => {
  it('is computed by ranges and merged by the merger that the coordinator was started with', async () => {
    const transport = new MemoryNetwork().transport();
    const mergers = {
      'my.sum': (parts: readonly unknown[], attempts: number) => ({
        total: (parts as readonly number[]).reduce((sum, part) => sum + part, 0),
        parts,
        attempts,
      }),
      'my.broken': () => {
        throw new Error('the parts do not fit');
      },
    };
    const address = '127.0.0.1:5000';
    await using _coordinator = await QuicSwarmCoordinator.start({ address, transport, mergers });
    await using agent = await QuicSwarmAgent.connect({
      address,
      transport,
      id: 'a',
      type: 'compute',
      threads: 1,
      slots: 2,
    });
    const sum = (upTo: number, { shard }: TaskContext): number => {
      let total = 0;
      for (let n = shard?.start ?? 0; n < (shard?.end ?? upTo); n += 1) total += n;
      return total;
    };
    agent.handle('my.sum', sum).handle('my.broken', sum).handle('my.other', sum);
    void agent.run();
    await using client = await connect({ address, transport });
    expect(await client.run('my.sum', 100, { shards: 3, positions: 100 })).toEqual({
      total: 4950,
      parts: [561, 1650, 2739],
      attempts: 3,
    });
    expect(await client.run('my.sum', 100, { shards: 1, positions: 100 })).toBe(4950);
    await expect(client.run('my.broken', 9, { shards: 2, positions: 9 })).rejects.toMatchObject({
      message: 'the parts do not fit',
    });
    await expect(client.run('my.other', 9, { shards: 2, positions: 9 })).rejects.toMatchObject({
      type: 'UNSUPPORTED_OPTION',
    });
  });
});

describe('a search in shards whose agent is killed', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'quic-swarm-'));
  });
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it('runs the shards of that agent again, and no others', async () => {
    const notices: CoordinatorNotice[] = [];
    await using coordinator = await QuicSwarmCoordinator.start({
      address: '127.0.0.1:0',
      security: { stateDirectory: directory },
      onNotice: (notice) => notices.push(notice),
    });
    const address = formatAddress(coordinator.address);
    const startAgent = (id: string): Program => {
      const words = [address, id, 'pattern', '--threads', '2', '--json', ...PATIENTLY];
      const env = { ...process.env, QUIC_SWARM_STATE_DIR: directory };
      return new Program([AGENT, ...words], { env });
    };
    await using killed = startAgent('killed');
    await using kept = startAgent('kept');
    await Promise.all([killed, kept].map((agent) => agent.line('"connected"')));
    await using client = await connect({ address, security: { stateDirectory: directory } });
    const search: Search = {
      series: randomWalk(400_000, 5),
      start: 200_000,
      length: 256,
      algorithm: 'dtw',
      band: 64,
      topK: 5,
      exclusionZone: 64,
    };
    const input = await inputOf(client, search);
    const handle = await client.submit('PatternMatch', input, { shards: 8 });
    // Something was done, and not everything: both agents have shards.
    for await (const { fraction } of handle.progress()) if (fraction > 0.05) break;
    killed.kill('SIGKILL');
    const result = await handle.result();
    expect(result.matches).toEqual(alone(search).matches);

    const attempts = notices.filter((notice) => notice.type === 'AttemptEnded');
    const lost = attempts.filter(({ outcome }) => outcome === 'lost');
    const succeeded = attempts.filter(({ outcome }) => outcome === 'succeeded');
    expect(lost.length).toBeGreaterThan(0);
    expect(new Set(lost.map(({ agentId }) => agentId))).toEqual(new Set(['killed']));
    expect(succeeded).toHaveLength(8);
    expect(new Set(succeeded.map(({ taskId }) => taskId)).size).toBe(8);
    const repeated = succeeded.filter(({ attempt }) => attempt > 1).map(({ taskId }) => taskId);
    expect(new Set(repeated)).toEqual(new Set(lost.map(({ taskId }) => taskId)));
    expect(result.stats['attempts']).toBe(8 + lost.length);
    expect(attempts).toHaveLength(8 + lost.length);
  });
});
