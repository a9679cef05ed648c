/** The arithmetic that every figure of every bench goes through. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestReply } from '../workloads/request-reply.ts';
import type { CrewMeasured } from './crew.ts';
import type { Bench, Contestant } from './model.ts';
import { Results } from './results.ts';
import { latencyValues, median, quantile, seededRandom, shuffled } from './statistics.ts';
import { judge } from './targets.ts';

const ours: Contestant = { name: 'ours', kind: 'ours', peer: 'a' };
const theirs: Contestant = { name: 'theirs', kind: 'peer', peer: 'b' };
const bench: Bench = {
  name: 'test',
  title: 'test',
  contestants: [theirs, ours],
  plans: [{ workload: requestReply }],
  targets: [],
  rounds: 3,
  quickRounds: 1,
};

function p50(value: number): CrewMeasured {
  return { values: { p50: value }, operations: 1, cpuMicros: { server: 10 * value } };
}

void test('a quantile is a value that occurred, a median the middle', () => {
  assert.equal(quantile([1, 2, 3, 4], 0.5), 2);
  assert.equal(quantile([1, 2, 3, 4], 0.99), 4);
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 2, 9]), 3);
});

void test('a quantile with too few samples beyond it is left out', () => {
  const latencies = Array.from({ length: 500 }, (_, index) => 500 - index);
  assert.deepEqual(latencyValues(latencies), { p50: 250, p99: 495 });
});

void test('a seed decides an order, and nobody is lost', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const once = shuffled(names, seededRandom(7));
  assert.deepEqual(shuffled(names, seededRandom(7)), once);
  assert.deepEqual(once.toSorted(), names);
});

void test('a ratio compares figures of the same round, as far as both have come', () => {
  const results = new Results(bench);
  // The machine was three times slower in the second round, which must not show in the ratio.
  for (const value of [10, 30, 11]) results.add(ours, requestReply, p50(value));
  for (const value of [5, 15]) results.add(theirs, requestReply, p50(value));
  assert.equal(results.ratio('request-reply', 'p50', 'ours', 'theirs'), 2);
  assert.equal(results.value('request-reply', 'ours', 'p50'), 11);
  assert.equal(results.value('request-reply', 'ours', 'cpu server'), 110);
  const row = results.rows().find((each) => each.contestant === 'theirs');
  assert.ok(row?.outcome === 'measured');
  assert.deepEqual([row.min, row.max, row.ratioToOurs], [5, 15, 0.5]);
});

void test('who timed out has no figures, and a target that needs them is neither met nor missed', () => {
  const results = new Results(bench);
  results.add(ours, requestReply, p50(10));
  results.add(theirs, requestReply, p50(5));
  results.drop(theirs, requestReply, 'timed out', 'no answer');
  const [relative, absolute] = judge(
    [
      {
        name: 'relative',
        unit: '×',
        comparator: '<=',
        target: 2,
        measure: (reader) => reader.ratio('request-reply', 'p50', 'ours', 'theirs'),
      },
      {
        name: 'absolute',
        unit: 'ms',
        comparator: '<',
        target: 10,
        measure: (reader) => reader.value('request-reply', 'ours', 'p50'),
      },
    ],
    results,
  );
  assert.deepEqual([relative?.measured, relative?.met], [null, null]);
  assert.deepEqual([absolute?.measured, absolute?.met], [10, false]);
  assert.equal(results.hasOurFailure, false);
  results.drop(ours, requestReply, 'failed', 'broken');
  assert.equal(results.hasOurFailure, true);
});
