import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  SwarmError,
  decodeDocument,
  encodeDocument,
  failure,
  type TaskEvent,
} from '@quic-swarm/protocol';
import { MapRun, type MapItem } from '../src/shell/map.ts';
import type { Submitter } from '../src/shell/submit-request.ts';
import { TaskMirror } from '../src/shell/task-mirror.ts';
import { all, errorOf, settle, testSwarm, type TestSwarm } from './support/swarm.ts';

let swarm: TestSwarm | undefined;
afterEach(async () => {
  await swarm?.client.close();
});

function* numbers(count: number, onPull: () => void = () => {}): Generator<number> {
  for (let i = 0; i < count; i++) {
    onPull();
    yield i;
  }
}

async function* slowly(count: number, onPull: () => void): AsyncGenerator<number> {
  for (const i of numbers(count, onPull)) {
    await Promise.resolve();
    yield i;
  }
}

function endOf(taskId: string, input: number, isFailing: boolean): TaskEvent {
  const end = { taskId, kind: 'end', attempt: 1 } as const;
  return isFailing
    ? { ...end, state: 'failed', failure: failure('TASK_FAILED', `${input} failed`) }
    : { ...end, state: 'succeeded', payload: encodeDocument(input * 2) };
}

describe('map, as a property', () => {
  const scenario = fc.record({
    scheduler: fc.scheduler(),
    count: fc.integer({ min: 0, max: 25 }),
    concurrency: fc.integer({ min: 1, max: 6 }),
    ordered: fc.boolean(),
    isAsync: fc.boolean(),
    refused: fc.uniqueArray(fc.nat(25), { maxLength: 3 }),
    failing: fc.uniqueArray(fc.nat(25), { maxLength: 3 }),
  });

  it('never has more than `concurrency` unfinished tasks and yields each input once', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const { scheduler, count, concurrency, ordered, isAsync, failing } = given;
        const refusals = new Set(given.refused);
        let unfinished = 0;
        let unfinishedMax = 0;
        let pulled = 0;
        let unreadMax = 0;
        const items: MapItem[] = [];
        const onPull = (): void => {
          pulled += 1;
          unreadMax = Math.max(unreadMax, pulled - items.length);
        };
        const submit = (input: unknown, submitter: Submitter): void => {
          const number = input as number;
          if (refusals.delete(number)) {
            submitter.taskRefused(new SwarmError('QUEUE_FULL', 'full', { retryAfterMs: 0 }));
            return;
          }
          unfinished += 1;
          unfinishedMax = Math.max(unfinishedMax, unfinished);
          void (async () => {
            await scheduler.schedule(Promise.resolve(), `accept ${number}`);
            const mirror = new TaskMirror(`task-${number}`, 't', { chunksMax: 1, bytesMax: 1 });
            submitter.taskAccepted(mirror);
            await scheduler.schedule(Promise.resolve(), `task ${number}`);
            unfinished -= 1;
            mirror.changed(endOf(mirror.id, number, failing.includes(number)));
          })();
        };
        const inputs = isAsync ? slowly(count, onPull) : numbers(count, onPull);
        const onFailure = 'yield';
        const stop = new AbortController();
        const options = {
          submit,
          stop,
          concurrency,
          ordered,
          onFailure,
          signal: undefined,
        } as const;
        const reading = (async () => {
          for await (const item of new MapRun(inputs, options).items()) items.push(item);
        })();
        await scheduler.waitFor(reading);

        expect(unfinishedMax).toBeLessThanOrEqual(concurrency);
        expect(unreadMax).toBeLessThanOrEqual(2 * concurrency);
        const indexes = items.map(({ index }) => index);
        const expected = Array.from({ length: count }, (_none, i) => i);
        expect(ordered ? indexes : indexes.sort((a, b) => a - b)).toEqual(expected);
        for (const item of items) {
          if ('error' in item) expect(failing).toContain(item.index);
          else expect(item.result).toBe(item.index * 2);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('map over a swarm', () => {
  it('yields in order by default and as completed on request', async () => {
    swarm = await testSwarm();
    const { client, coordinator } = swarm;
    // Answers in pairs, the second one first.
    const held: (() => void)[] = [];
    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
      const input = decodeDocument(submission.payload ?? new Uint8Array());
      held.push(() => {
        peer.succeed(submission.taskId, input);
      });
      if (held.length < 2) return;
      const [first, second] = held.splice(0);
      second?.();
      void settle().then(first);
    };
    const inputs = [0, 1, 2, 3];
    const options = { concurrency: 2 };
    const ordered = await all(client.map<number>('t', inputs, options));
    expect(ordered.map(({ index, result }) => [index, result])).toEqual(inputs.map((i) => [i, i]));
    const unordered = await all(client.map<number>('t', inputs, { ...options, ordered: false }));
    expect(unordered.map(({ index }) => index)).toEqual([1, 0, 3, 2]);
  });

  it('pulls no further input after one that cannot be sent', async () => {
    swarm = await testSwarm();
    let pulled = 0;
    const inputs = (function* () {
      for (; ; pulled++) yield pulled === 2 ? new Date() : pulled;
    })();
    const items = all(swarm.client.map('t', inputs, { concurrency: 50 }));
    expect((await errorOf(items)).type).toBe('BAD_INPUT');
    expect(pulled).toBe(2);
  });

  it('cancels what is in flight and ends the inputs when the loop is left', async () => {
    swarm = await testSwarm();
    const { client, coordinator } = swarm;
    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
      const input = decodeDocument(submission.payload ?? new Uint8Array());
      if (input === 0) peer.succeed(submission.taskId, input);
    };
    let isEnded = false;
    const endless = (function* () {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        isEnded = true;
      }
    })();
    for await (const { index } of client.map('t', endless, { concurrency: 3 })) {
      expect(index).toBe(0);
      break;
    }
    expect(isEnded).toBe(true);
    await settle();
    const unfinished = coordinator.of('SubmitTask').slice(1);
    const cancelled = await coordinator.until('CancelTask', unfinished.length);
    expect(cancelled.map(({ taskId }) => taskId)).toEqual(unfinished.map(({ taskId }) => taskId));
    expect(unfinished.length).toBeGreaterThanOrEqual(2);
  });

  it('throws the first failure and cancels the others, or yields it', async () => {
    swarm = await testSwarm();
    const { client, coordinator } = swarm;
    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
      const input = decodeDocument(submission.payload ?? new Uint8Array());
      if (input === 1) peer.fail(submission.taskId, 'TASK_FAILED', 'One is bad.');
      else if (input !== 2) peer.succeed(submission.taskId, input);
    };
    const error = await errorOf(all(client.map('t', [0, 1, 2])));
    expect(error.message).toBe('One is bad.');
    expect(await coordinator.until('CancelTask')).toHaveLength(1);

    const items = await all(client.map('t', [0, 1], { onFailure: 'yield' }));
    expect(items.map((item) => ('error' in item ? item.error.message : item.result))).toEqual([
      0,
      'One is bad.',
    ]);
  });

  it('waits out a full queue', async () => {
    swarm = await testSwarm();
    const { client, coordinator } = swarm;
    const { onSubmit } = coordinator.script;
    let refusals = 3;
    coordinator.script.onSubmit = (submission, peer) => {
      refusals -= 1;
      if (refusals < 0) onSubmit(submission, peer);
      else peer.refuse(submission.requestId, 'QUEUE_FULL', 'Full.', { retryAfterMs: 1 });
    };
    const items = await all(client.map('t', numbers(5), { concurrency: 2 }));
    expect(items.map(({ result }) => result)).toEqual([0, 1, 2, 3, 4]);
  });

  it('throws what the inputs throw, and ends on a signal', async () => {
    swarm = await testSwarm();
    const { client, coordinator } = swarm;
    const broken = (function* () {
      yield 0;
      throw new RangeError('no more');
    })();
    await expect(all(client.map('t', broken))).rejects.toThrow(RangeError);

    coordinator.script.onSubmit = (submission, peer) => {
      peer.acknowledge(submission);
    };
    const stop = new AbortController();
    const { signal } = stop;
    const reading = errorOf(all(client.map('t', numbers(9), { signal, concurrency: 2 })));
    await coordinator.until('SubmitTask', 3);
    stop.abort();
    expect(await reading).toMatchObject({ type: 'TASK_CANCELLED', code: 'CANCELLED' });
    await coordinator.until('CancelTask');
  });

  it('does not wait for an input that never comes when the loop is left', async () => {
    swarm = await testSwarm();
    const inputs: AsyncIterable<number> = (async function* () {
      yield 0;
      await new Promise(() => {});
    })();
    for await (const { result } of swarm.client.map('t', inputs)) {
      expect(result).toBe(0);
      break;
    }
  });

  it('refuses options that make no sense', async () => {
    swarm = await testSwarm();
    const { client } = swarm;
    expect(() => client.map('t', [1], { concurrency: 0 })).toThrow(/concurrency/);
    expect(() => client.map('t', [1], { idempotencyKey: 'k' })).toThrow(/idempotencyKey/);
  });
});
