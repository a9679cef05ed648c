/** Counters by name stay within what one report may hold, however many names there are. */
import type { StatusSummary } from '@quic-swarm/protocol';
import { describe, expect, it } from 'vitest';
import { Statistics } from '../src/shell/statistics.ts';

const ENTRIES_MAX = 256;

function taskEnded(statistics: Statistics, n: number, taskType = `type.${n}`): void {
  statistics.observe({
    type: 'TaskEnded',
    taskId: `task-${n}`,
    taskType,
    agentId: `agent-${n}`,
    state: 'succeeded',
    attempt: 1,
    retries: 0,
    queueMs: 1,
    computeMs: 2,
    totalMs: 3,
    failure: undefined,
  });
}

const succeededOf = (work: StatusSummary['byTaskType']): number =>
  Object.values(work).reduce((sum, { succeeded }) => sum + succeeded, 0);

describe('statistics', () => {
  it('count tasks of more types than a report can name, the rest together', () => {
    const statistics = new Statistics();
    for (let n = 0; n < 300; n++) taskEnded(statistics, n);
    for (let n = 0; n < 300; n++) taskEnded(statistics, n);
    const byTaskType = statistics.byTaskType();
    expect(Object.keys(byTaskType).length).toBeLessThanOrEqual(ENTRIES_MAX);
    expect(succeededOf(byTaskType)).toBe(600);
    expect(byTaskType['type.0']?.succeeded).toBe(2);
    expect(byTaskType['other']?.succeeded).toBeGreaterThanOrEqual(2 * (300 - ENTRIES_MAX));
  });

  it('also when one of the types is called as the rest is', () => {
    const statistics = new Statistics();
    taskEnded(statistics, 0, 'other');
    for (let n = 1; n <= 300; n++) taskEnded(statistics, n);
    expect(succeededOf(statistics.byTaskType())).toBe(301);
  });

  it('count more agents and errors than can be named', () => {
    const statistics = new Statistics();
    for (let n = 0; n < 300; n++) {
      statistics.observe({
        type: 'AttemptEnded',
        taskId: `task-${n}`,
        taskType: 'work',
        agentId: `agent-${n}`,
        attempt: 2,
        isRetry: true,
        outcome: 'failed',
        computeMs: 1,
        failure: { code: 'UNKNOWN', type: `E${n}`, message: '', retryable: false },
      });
    }
    const errors = statistics.errorsByType();
    expect(Object.keys(errors).length).toBeLessThanOrEqual(ENTRIES_MAX);
    expect(Object.values(errors).reduce((sum, count) => sum + count, 0)).toBe(300);
    expect(statistics.ofAgent('agent-0')).toMatchObject({ failed: 1, retried: 1 });
  });
});
