import type { AgentRow, StatusSummary, TaskRow } from '@quic-swarm/protocol';
import { describe, expect, it } from 'vitest';
import { agentLines } from '../src/commands/agents.ts';
import { benchLines } from '../src/commands/bench.ts';
import { deadLetterLines } from '../src/commands/dead-letters.ts';
import { statusLines, troubleLines } from '../src/commands/status.ts';
import { correlationJson } from '../src/commands/submit-correlation.ts';
import { featuresJson } from '../src/commands/submit-features.ts';
import { patternLines } from '../src/commands/submit-pattern.ts';
import { gradientNorm } from '../src/commands/submit-train.ts';
import { sortedTasks, taskLines } from '../src/commands/tasks.ts';
import { percentile } from '../src/measurement/round-trips.ts';
import { smallTaskFor } from '../src/measurement/small-task.ts';
import { toJson } from '../src/output/json.ts';
import { pendingText } from '../src/session/submission.ts';

const nothing = { p50Ms: 0, p90Ms: 0, p99Ms: 0, maxMs: 0 };
const work = {
  succeeded: 3,
  failed: 1,
  cancelled: 0,
  timedOut: 1,
  retried: 2,
  compute: { ...nothing, p50Ms: 12.3 },
  total: nothing,
};

const agent: AgentRow = {
  agentId: 'agent-1',
  agentType: 'pattern',
  state: 'ready',
  address: '127.0.0.1:9',
  capabilities: ['PatternMatch'],
  labels: {},
  slots: 2,
  credit: 3,
  leases: 0,
  running: 1,
  connectedForMs: 1,
  lastHeardMs: 20,
  roundTripMs: 0.5,
  eventLoopLagMs: 0,
  memoryBytes: 1024 * 1024,
  datasets: 0,
  serviceTimeMs: 0,
  work,
};

const task: TaskRow = {
  taskId: '01890000-0000-7000-8000-000000000000',
  taskType: 'PatternMatch',
  state: 'queued',
  pendingReason: 'NO_AGENT_OF_TYPE',
  candidates: { connected: 2, ofType: 0, capable: 0, free: 0 },
  priority: 3,
  attempt: 0,
  deliveries: 0,
  cancelRequested: false,
  ageMs: 1500,
  deadLettered: false,
  durable: false,
};

const idle: StatusSummary = {
  software: 'quic-swarm 0.1.0',
  protocol: 1,
  epoch: 1,
  uptimeMs: 61_000,
  address: '127.0.0.1:5000',
  memoryBytes: 50 * 1024 * 1024,
  eventLoopLagMs: 1,
  connections: { agents: 1, clients: 2, handshaking: 0, acceptedInAll: 4 },
  messages: { received: 10, sent: 20, byType: {} },
  bytes: { received: 1024, sent: 2048 },
  errorsByType: { BAD_FRAME: 2 },
  tasks: {
    submitted: 5,
    byState: { queued: 1, succeeded: 4, failed: 0 },
    byPendingReason: { NO_FREE_SLOT: 1 },
    queuedBytes: 0,
    oldestQueuedMs: 1000,
    deadLetters: 0,
    staleCompletions: 0,
  },
  byTaskType: { PatternMatch: { ...work, successRate: 0.6 } },
  datasets: { count: 1, bytes: 8 },
  experiences: { recorded: 2, resolved: 1 },
};

describe('tables', () => {
  it('show agents', () => {
    const [header, row] = agentLines([agent]).map((line) => line.split(/ {2,}/));
    expect(header).toEqual([
      'agent',
      'type',
      'state',
      'address',
      'slots',
      'running',
      'held',
      'done',
      'failed',
      'compute p50',
      'rtt',
      'heard',
      'memory',
    ]);
    expect(row).toEqual([
      'agent-1',
      'pattern',
      'ready',
      '127.0.0.1:9',
      '2',
      '1',
      '0/3',
      '3',
      '2',
      '12.3 ms',
      '0.50 ms',
      '20 ms',
      '1.0 MiB',
    ]);
    expect(agentLines([])[0]).toContain('agent ADDR agent-1 pattern');
  });

  it.each<[string, Partial<TaskRow>, string]>([
    [
      'the pending reason',
      {},
      'NO_AGENT_OF_TYPE (agents: 2 connected, 0 of the type, 0 able, 0 free)',
    ],
    ['progress', { state: 'running', fraction: 0.42, agentId: 'a' }, '42 %'],
    ['a cancellation', { state: 'running', cancelRequested: true }, 'cancellation asked for'],
    [
      'a failure',
      {
        state: 'failed',
        failure: { code: 'UNKNOWN', type: 'RangeError', message: 'oops', retryable: true },
      },
      'RangeError: oops',
    ],
    ['what it waits for', { state: 'waiting', waitsFor: 2 }, 'waits for 2 tasks'],
    ['the one task that it waits for', { state: 'waiting', waitsFor: 1 }, 'waits for 1 task'],
    ['a delay', { state: 'waiting', waitsFor: 0 }, 'waits for its time'],
    [
      'what may be replayed',
      {
        state: 'failed',
        deadLettered: true,
        failure: { code: 'UNKNOWN', type: 'RangeError', message: 'oops', retryable: true },
      },
      'dead letter, RangeError: oops',
    ],
  ])('show tasks with %s', (_what, change, why) => {
    const { pendingReason: _reason, candidates: _candidates, ...rest } = task;
    const row = change.state === undefined ? task : { ...rest, ...change };
    expect(taskLines([row])[1]).toContain(why);
  });

  it('show the parts of a task behind it, whatever their states', () => {
    const { pendingReason: _reason, candidates: _candidates, ...rest } = task;
    const parent: TaskRow = {
      ...rest,
      state: 'running',
      fraction: 0.42,
      shards: { count: 3, running: 1, succeeded: 1, attempts: 4 },
    };
    const shard = (index: number, state: TaskRow['state']): TaskRow => ({
      ...rest,
      taskId: `0000000${index}`,
      state,
      shard: { of: task.taskId, index, count: 3, start: 0, end: 1 },
    });
    const failed: TaskRow = { ...rest, taskId: 'another', state: 'failed' };
    const rows = [parent, shard(0, 'queued'), shard(1, 'succeeded'), shard(2, 'running'), failed];
    const sorted = sortedTasks(rows);
    expect(sorted.map(({ taskId }) => taskId)).toEqual([
      'another',
      task.taskId,
      '00000000',
      '00000001',
      '00000002',
    ]);
    const lines = taskLines(sorted);
    expect(lines[2]).toContain('42 %, 1 of 3 shards done in 4 attempts');
    expect(lines[3]).toContain('  shard 1 of 3');
  });

  it('show the coordinator', () => {
    const text = statusLines(idle).join('\n');
    expect(text).toContain('5 submitted, 1 queued, 4 succeeded\n');
    expect(text).toContain('waiting for 1 NO_FREE_SLOT, the oldest for 1 s');
    expect(text).toContain('errors        2 BAD_FRAME');
    expect(text).not.toMatch(/dead letters|journal/);
    expect(troubleLines(idle)).toEqual([]);
    expect(text).toMatch(/PatternMatch +3 +2 +2 +60.0 % +12.3 ms +- +-/);
  });
});

describe('what became of durable tasks', () => {
  const failure = {
    code: 'RESOURCE_EXHAUSTED',
    type: 'STORE_FULL',
    message: 'The disk is full.',
    retryable: true,
    hint: 'Make room.',
  } as const;

  it('is told by the status, and loudly when nothing can be written', () => {
    const journal = { recordsSinceSnapshot: 12, unclaimed: 3 };
    const tasks = { ...idle.tasks, deadLetters: 2 };
    const text = statusLines({ ...idle, tasks, journal }).join('\n');
    expect(text).toContain('dead letters  2 (swarm deadletter ls)');
    expect(text).toContain('12 records since the last snapshot, 3 results that nobody has fetched');
    expect(troubleLines({ ...idle, journal })).toEqual([]);
    const trouble = troubleLines({ ...idle, journal: { ...journal, failure } }).join('\n');
    expect(trouble).toContain('NOTHING CAN BE WRITTEN');
    expect(trouble).toContain('STORE_FULL: The disk is full.\n  Make room.');
  });

  it('is listed with the age that the id of the task says', () => {
    const { pendingReason: _reason, candidates: _candidates, ...rest } = task;
    const dead: TaskRow = { ...rest, state: 'failed', attempt: 3, durable: true, failure };
    const submittedAtMs = Number.parseInt('0190d3f47c1e', 16);
    const rows = [
      { ...dead, taskId: '0190d3f4-7c1e-7a3b-9c55-2f6f0e6a1b2c' },
      { ...dead, taskId: '0190d3f4-7c1e-4a3b-9c55-2f6f0e6a1b2c' },
    ];
    const lines = deadLetterLines(rows, submittedAtMs + 90 * 60_000);
    expect(lines[1]).toMatch(/ 90 min +3 +yes +STORE_FULL: The disk is full\.$/);
    // A random id (version 4) has no time in it.
    expect(lines[2]).toMatch(/ - +3 +yes /);
    expect(deadLetterLines([], 0)).toEqual(['No dead letters.']);
  });
});

describe('results', () => {
  it('of a search for all say so when there are more than were reported', () => {
    const match = { start: 7, length: 10, distance: 0.25, normalizedDistance: 0.1 };
    const result = {
      algorithm: 'dtw' as const,
      kernelVersion: '1',
      route: 'typescript' as const,
      parameters: { length: 10, band: 1, normalise: 'z' as const, exclusionZone: 3 },
      matches: [{ ...match, windowMean: 0, windowStandardDeviation: 1 }],
      stats: { positions: 91 },
      seriesDigest: { length: 100, sha256: 'x' },
    };
    const series = { name: 'DAX', source: 'prices.csv' };
    const parameters = { ...result.parameters, maximumDistance: 2.5 };
    const [head, , , more] = patternLines({ ...result, parameters, truncated: true }, series);
    expect(head).toBe('DTW of 10 rows, band 1, distance up to 2.5, in DAX of prices.csv');
    expect(more).toBe('There are more: these are the best 1. Take a smaller --within.');
    // Whoever fetches the result later may not have the file.
    expect(patternLines({ ...result, parameters })[0]).toBe(
      'DTW of 10 rows, band 1, distance up to 2.5, in a series of 100 rows',
    );
    const complete = patternLines({ ...result, parameters, truncated: false }, series);
    expect(complete.join('\n')).not.toContain('There are more');
    expect(complete.join('\n')).not.toContain('warped');
  });

  it('of a pattern search with paths show how far each match was warped', () => {
    const match = { start: 7, length: 3, distance: 0.25, normalizedDistance: 0.1, windowMean: 0 };
    const straight = Uint32Array.of(0, 0, 1, 1, 2, 2);
    const bent = Uint32Array.of(0, 0, 0, 1, 0, 2, 1, 2, 2, 2);
    const lines = patternLines(
      {
        algorithm: 'dtw',
        kernelVersion: '1',
        route: 'typescript',
        parameters: { length: 3, band: 2, normalise: 'z', topK: 2, exclusionZone: 1 },
        matches: [straight, bent].map((path) => ({ ...match, windowStandardDeviation: 1, path })),
        stats: {},
        seriesDigest: { length: 100, sha256: 'x' },
      },
      { name: 'DAX', source: 'prices.csv' },
    );
    const last = (line = ''): string | undefined => line.split(/ {2,}/).at(-1);
    expect(lines.slice(1, 4).map(last)).toEqual(['warped by', 'nothing', '-0 to +2 rows']);
  });

  it('of a pattern search show rows, distances and what was left out', () => {
    const lines = patternLines(
      {
        algorithm: 'lcss',
        kernelVersion: '1',
        route: 'typescript',
        parameters: { length: 10, band: 1, normalise: 'z', topK: 1, exclusionZone: 3 },
        matches: [
          {
            start: 7,
            length: 10,
            distance: 0.25,
            normalizedDistance: 0.1,
            similarity: 0.75,
            windowMean: 0,
            windowStandardDeviation: 1,
          },
        ],
        stats: { positions: 91, nonFiniteWindows: 10 },
        seriesDigest: { length: 100, sha256: 'x' },
      },
      { name: 'DAX', source: 'prices.csv' },
    );
    expect(lines).toEqual([
      'LCSS of 10 rows, band 1, in DAX of prices.csv',
      '#  rows  distance  per row  similarity',
      '1  7-16      0.25      0.1        0.75',
      '91 windows searched, 10 with gaps left out',
    ]);
  });

  it('have squares as rows and columns by name, null where nothing is known', () => {
    const common = { rows: 3, route: 'typescript', elapsedMs: 1 } as const;
    const correlation = correlationJson({
      ...common,
      method: 'pearson',
      columns: ['a', 'b'],
      matrix: new Float64Array([1, Number.NaN, Number.NaN, 1]),
      overlap: new Uint32Array([3, 0, 0, 3]),
    });
    expect(JSON.parse(toJson(correlation))).toMatchObject({
      matrix: [
        [1, null],
        [null, 1],
      ],
      overlap: [
        [3, 0],
        [0, 3],
      ],
    });
    const columns = [{ name: 'sma2', values: new Float64Array([Number.NaN, 1.5, 2.5]) }];
    expect(JSON.parse(toJson(featuresJson({ ...common, columns })))).toMatchObject({
      columns: { sma2: [null, 1.5, 2.5] },
    });
  });

  it('have the length of a gradient', () => {
    expect(gradientNorm({ values: new Float64Array([3, 4]) })).toBe(5);
  });
});

describe('measurements', () => {
  it('take the nearest rank as percentile', () => {
    expect([0.5, 0.9, 0.99, 1].map((share) => percentile([1, 2, 3, 4], share))).toEqual([
      2, 4, 4, 4,
    ]);
    expect(percentile([], 0.5)).toBeNaN();
  });

  it('use a task that a ready agent computes', () => {
    expect(smallTaskFor([agent]).taskType).toBe('PatternMatch');
    expect(smallTaskFor([agent, { ...agent, agentType: 'feature' }]).taskType).toBe(
      'FeatureEngineering',
    );
    expect(() => smallTaskFor([{ ...agent, state: 'lost' }])).toThrow('No agent is connected');
  });

  it('say what they are', () => {
    const figures = { tasks: 10, p50Ms: 1, p90Ms: 2, p99Ms: 3, maxMs: 4, computeP50Ms: 0.1 };
    const throughput = { tasks: 100, inFlight: 64, elapsedMs: 50, tasksPerSecond: 2000 };
    const measured = { task: smallTaskFor([agent]), agents: 1, sequential: figures, throughput };
    const lines = benchLines(measured).join('\n');
    expect(lines).toContain('p50 1 ms  p90 2 ms  p99 3 ms  max 4 ms  (10 tasks)');
    expect(lines).toContain('64 in flight    2000 tasks/s  (100 tasks in 50 ms)');
  });
});

it('says which agent to start for a task that waits', () => {
  expect(pendingText('NO_AGENT_OF_TYPE', 'NeuralTraining')).toContain('agent ADDR ID trainer');
  expect(pendingText('NO_AGENT_OF_TYPE', 'my.task')).toContain('compute --handlers FILE');
  expect(pendingText('AGENT_MAY_RETURN', 'my.task')).toContain('the coordinator was restarted');
  expect(pendingText('SOMETHING_NEW', 'my.task')).toBe('SOMETHING_NEW');
});
