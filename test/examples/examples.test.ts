import {
  buildLaggedWindows,
  initialiseMlp,
  mlpLossAndGradients,
  RandomSource,
} from '@quic-swarm/kernels';
import { expect, it } from 'vitest';
import {
  deviation,
  lastRsi,
  logReturns,
  mean,
  nearestWindows,
  pearson,
  ranks,
  readCloses,
  sharpe,
  windowsWithin,
} from './brute-force.ts';
import { runExample } from './run-program.ts';

const closes = readCloses();

it('01 finds the windows that a search by the definition finds', async () => {
  const end = await runExample('01-one-process.ts');
  expect(end).toMatchObject({ code: 0, stderr: '' });
  const expected = nearestWindows(closes.DAX, { start: 1800, end: 1860, band: 5, top: 3 }).map(
    ({ start, distance }) => `days ${start} to ${start + 59}  DTW distance ${distance.toFixed(4)}`,
  );
  expect(end.stdout.split('\n').slice(1, 4)).toEqual(expected);
  expect(end.stdout).toContain('tasks done: 1');
});

it('02 prints the indicators and correlations of their definitions', async () => {
  const end = await runExample('02-correlation-over-quic.ts');
  expect(end).toMatchObject({ code: 0, stderr: '' });
  const names = ['DAX', 'SMI', 'CAC', 'FTSE'] as const;
  for (const name of names) {
    const recent = closes[name].slice(-20);
    const band = mean(recent) + 2 * deviation(recent);
    const rsi = lastRsi(closes[name], 14).toFixed(2);
    expect(end.stdout).toContain(`${name}  RSI ${rsi}  upper Bollinger band ${band.toFixed(2)}\n`);
  }
  const returns = names.map((name) => logReturns(closes[name]));
  for (const [method, columns] of [
    ['pearson', returns],
    ['spearman', returns.map(ranks)],
  ] as const) {
    const rows = columns.map((a, row) => {
      const cells = columns.map((b) => pearson(a, b).toFixed(4));
      return `${(names[row] ?? '').padEnd(4)} ${cells.join(' ')}\n`;
    });
    expect(end.stdout).toContain(`${method} over 1859 common days\n${rows.join('')}`);
  }
});

it('03 hears of every part and of the best crossover', async () => {
  const end = await runExample('03-own-compute.ts');
  expect(end).toMatchObject({ code: 0, stderr: '' });
  const before = (day: number, length: number): number => mean(closes.DAX.slice(day - length, day));
  const gains = logReturns(closes.DAX);
  const sharpeOf = (fast: number, slow: number): number =>
    sharpe(
      gains
        .slice(slow - 1)
        .map((gain, i) => (before(slow + i, fast) > before(slow + i, slow) ? gain : 0)),
    );
  const bestOf = [5, 10, 20, 40].map((fast) =>
    [50, 100, 150, 200]
      .map((slow) => ({ fast, slow, sharpe: sharpeOf(fast, slow) }))
      .reduce((best, each) => (each.sharpe > best.sharpe ? each : best)),
  );
  const best = bestOf.reduce((all, each) => (each.sharpe > all.sharpe ? each : all));
  expect(end.stdout.trim().split('\n')).toEqual([
    ...bestOf.map(
      ({ fast, slow, sharpe }) =>
        `best with a fast average of ${fast} days: slow ${slow}, Sharpe ${sharpe.toFixed(3)}`,
    ),
    `best of all: ${best.fast}/${best.slow}, Sharpe ${best.sharpe.toFixed(3)}`,
    'progress was heard: yes; state: succeeded',
  ]);
});

it('04 gathers every resample once, retries what may pass, and stops what is aborted', async () => {
  const end = await runExample('04-many-tasks.ts');
  expect(end).toMatchObject({ code: 0, stderr: '' });
  const returns = logReturns(closes.DAX);
  const ratios = Array.from({ length: 40 }, (_, seed) => {
    const random = new RandomSource(seed);
    return Array.from({ length: 50 }, () => {
      const blocks = Array.from({ length: 93 }, () => random.nextUint32() % returns.length);
      const days = blocks.flatMap((from) => Array.from({ length: 20 }, (_, i) => from + i));
      return sharpe(days.slice(0, 1859).map((day) => returns[day % 1859] ?? NaN));
    });
  }).flat();
  ratios.sort((a, b) => a - b);
  const [low, high] = [0.05, 0.95].map((q) => ratios[Math.floor(q * 1999)]?.toFixed(3));
  expect(end.stdout).toContain(`90 % interval: ${low} to ${high}\n40 tasks, 2000 resamples;`);
  const ahead = Number(/at most (\d+)/.exec(end.stdout)?.[1]);
  // Four in flight, and as many that are finished and wait for their turn.
  expect(ahead).toBeGreaterThanOrEqual(4);
  expect(ahead).toBeLessThanOrEqual(8);
  expect(end.stdout).toContain('seed -1: 50 resamples in the end\n');
  expect(end.stdout).toContain('seed -2: a seed of −2 makes no sense\n');
  expect(end.stdout).toContain('retried attempts: 1, failed tasks: 1\n');
  expect(end.stdout).toContain('the endless one: TASK_CANCELLED\n');
});

it('05 trains as if nobody had died', async () => {
  const end = await runExample('05-agents-that-die.ts');
  expect(end).toMatchObject({ code: 0, stderr: '' });
  const printed = [...end.stdout.matchAll(/round \d+: 1851 samples, loss (\S+)/g)].map(([, loss]) =>
    Number(loss),
  );
  // One process, all rows at once.
  const { inputs, targets } = buildLaggedWindows({
    series: Float64Array.from(closes.DAX),
    lags: 8,
  });
  const layers = [8, 16, 1];
  let parameters = initialiseMlp(layers, 1);
  const expected = Array.from({ length: 12 }, () => {
    const { loss, gradients } = mlpLossAndGradients({ layers, parameters, inputs, targets });
    parameters = parameters.map((value, i) => value - 0.1 * (gradients[i] ?? NaN));
    return loss;
  });
  expect(printed).toHaveLength(12);
  for (const [round, loss] of expected.entries()) {
    expect(Math.abs((printed[round] ?? NaN) / loss - 1), `round ${round}`).toBeLessThan(1e-7);
    if (round > 0) expect(printed[round], `round ${round}`).toBeLessThan(printed[round - 1] ?? NaN);
  }
  const repeated = /^72 of 72 tasks succeeded, (\d+) were run again$/m.exec(end.stdout)?.[1];
  expect(Number(repeated)).toBeGreaterThanOrEqual(1);
});

it('06 tells every match once, and none before its neighbours are known', async () => {
  const end = await runExample('06-a-growing-series.ts');
  expect(end).toMatchObject({ code: 0, stderr: '' });
  const query = closes.DAX.slice(970, 1000);
  const matchesOf = (days: number): string[] =>
    windowsWithin(closes.DAX.slice(0, days), query, { band: 3, distanceMax: 2.5 }).map(
      ({ start, distance }) =>
        `days ${start} to ${start + 29}  DTW distance ${distance.toFixed(4)}`,
    );
  const lines = end.stdout.split('\n').filter((line) => line.includes('DTW distance'));
  const told = lines.map((line) => line.slice(line.indexOf(': ') + 2));
  expect(told.toSorted()).toEqual(matchesOf(1860).toSorted());
  const live = lines.filter((line) => line.startsWith('on day'));
  expect(live.length).toBeGreaterThan(2);
  for (const line of live) {
    const [, day = '', days = ''] = /^on day (\d+): (.*)$/.exec(line) ?? [];
    const start = Number(/^days (\d+)/.exec(days)?.[1]);
    // Its last neighbour within the zone of eight windows begins seven days after it and is complete 29 days later.
    expect(Number(day)).toBeGreaterThanOrEqual(start + 7 + 29);
    expect(matchesOf(Number(day) + 1)).toContain(days);
  }
  expect(end.stdout).toContain('finds the same: yes\n');
});

it('07 goes on behind a restart, and replays what has failed', async () => {
  const end = await runExample('07-after-a-restart.ts');
  expect(end).toMatchObject({ code: 0, stderr: '' });
  const names = ['DAX', 'SMI', 'CAC', 'FTSE'] as const;
  const changes = names.map((name) => {
    const change = (closes[name].at(-1) ?? NaN) / (closes[name][0] ?? NaN) - 1;
    return { name, change };
  });
  const best = changes.reduce((a, b) => (b.change > a.change ? b : a));
  expect(end.stdout.trim().split('\n')).toEqual([
    'the last task is waiting: 4 others come first',
    'the coordinator was started again',
    ...changes.map(({ name, change }) => `${name}: ${(100 * change).toFixed(1)} %`),
    `the best was ${best.name}`,
    'failed after 2 attempts: the disk of the archive is not mounted',
    'replayed: archived',
  ]);
});

it('08 learns from each day what the best of four ways to look back is', async () => {
  const end = await runExample('08-parameters-that-are-learnt.ts');
  expect(end).toMatchObject({ code: 0, stderr: '' });
  const moves = logReturns(closes.DAX).map((value) => 100 * Math.abs(value));
  const errors = [80, 2, 5, 20].map((halfLife) => {
    const decay = 0.5 ** (1 / halfLife);
    let loss = 0;
    for (let day = moves.length - 400; day < moves.length; day += 1) {
      const weights = Array.from({ length: 250 }, (_, age) => decay ** age);
      const past = weights.map((weight, age) => weight * (moves[day - 1 - age] ?? 0));
      const forecast = past.reduce((a, b) => a + b) / weights.reduce((a, b) => a + b);
      loss += Math.abs(forecast - (moves[day] ?? 0));
    }
    return { halfLife, loss };
  });
  const best = Math.min(...errors.map(({ loss }) => loss));
  const lines = end.stdout.trim().split('\n');
  // Of the first five days, twenty losses, the scale is made.
  expect(lines.slice(0, 4).map((line) => line.includes('known of 395 days'))).not.toContain(false);
  // Rare large errors count less to a learner than to a sum, so that one of two that are as good may win.
  const found = errors.find(({ halfLife }) => lines[4] === `look back ${halfLife} days`);
  expect(found?.loss).toBeLessThan(1.01 * best);
  expect(errors.filter(({ loss }) => loss < 1.01 * best)).toHaveLength(2);
});
