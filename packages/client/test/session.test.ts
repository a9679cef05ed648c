import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failure, type Message, type TaskEvent } from '@quic-swarm/protocol';
import type { RequestMessage, SessionEffect, SessionEvent } from '../src/core/events.ts';
import { Session } from '../src/core/session.ts';
import { newTaskId } from '../src/task-id.ts';

const newSession = (giveUpAfterMs = 1000): Session =>
  new Session({
    pending: { requestsMax: 8, bytesMax: 100 },
    chunks: { chunksMax: 4, bytesMax: 100 },
    giveUpAfterMs,
    reconnectDelayMs: (attempt, random) => random * 10 * 2 ** attempt,
  });

const submission = (session: Session, taskId = newTaskId()): RequestMessage => ({
  type: 'SubmitTask',
  body: {
    requestId: session.newRequestId(),
    taskId,
    taskType: 't',
    datasets: [],
    watch: 'result',
    payload: new Uint8Array(10),
  },
});

const replay = (session: Session, replayId: string): RequestMessage => ({
  type: 'ControlDeadLetter',
  body: {
    requestId: session.newRequestId(),
    taskId: newTaskId(),
    action: 'replay',
    replayId,
    watch: 'result',
  },
});

const ack = (requestId: number, taskId: string, existing = false): SessionEvent => ({
  type: 'received',
  message: { type: 'SubmitAck', body: { requestId, taskId, state: 'queued', existing } },
});

const event = (taskId: string, more: Partial<TaskEvent>): SessionEvent => {
  const body: TaskEvent = { taskId, kind: 'end', state: 'succeeded', attempt: 1, ...more };
  return { type: 'received', message: { type: 'TaskEvent', body } };
};

const lost: SessionEvent = {
  type: 'disconnected',
  failure: failure('CONNECTION_LOST', 'cut'),
  random: 0.5,
};

const sent = (effects: readonly SessionEffect[]): Message[] =>
  effects.flatMap((effect) => (effect.type === 'send' ? [effect.message] : []));

describe('a session', () => {
  it('asks for a task that it awaits after a second in which it heard nothing, once', () => {
    const session = newSession();
    const message = submission(session);
    const { requestId, taskId } = message.body as { requestId: number; taskId: string };
    session.handle({ type: 'requested', message, timeoutMs: 5000 }, 10_000);
    session.handle(ack(requestId, taskId), 10_010);
    expect(session.nextTimeoutMs()).toBe(11_010);
    const [question] = sent(session.handle({ type: 'timePassed' }, 11_010));
    expect(question).toMatchObject({ type: 'QueryStatus', body: { view: 'task', taskId } });
    // What was not acknowledged is QUIC's to repeat.
    expect(session.nextTimeoutMs()).toBeUndefined();
    const askedId = (question as { body: { requestId: number } }).body.requestId;
    const body = { requestId: askedId, view: 'task' as const, tasks: [] };
    session.handle({ type: 'received', message: { type: 'StatusReport', body } }, 11_020);
    expect([session.pendingRequests, session.nextTimeoutMs()]).toEqual([0, 12_020]);
    session.handle(event(taskId, {}), 11_500);
    expect(session.nextTimeoutMs()).toBeUndefined();
  });

  it('asks nothing of a connection that is gone, and nothing about the one before on the next', () => {
    const session = newSession();
    const message = submission(session);
    const { requestId, taskId } = message.body as { requestId: number; taskId: string };
    session.handle({ type: 'requested', message, timeoutMs: 5000 }, 0);
    session.handle(ack(requestId, taskId), 10);
    expect(sent(session.handle({ type: 'timePassed' }, 1010))).toHaveLength(1);
    session.handle(lost, 1100);
    expect(session.nextTimeoutMs()).toBe(1105);
    session.handle({ type: 'timePassed' }, 1105);
    const again = sent(session.handle({ type: 'connected' }, 1200));
    expect(again.map(({ type }) => type)).toEqual(['WatchTask']);
  });

  it('reconnects with growing pauses and sends again what has no answer, in order', () => {
    const session = newSession();
    const [first, second] = [submission(session), submission(session)];
    session.handle({ type: 'requested', message: first, timeoutMs: 5000 }, 0);
    session.handle(lost, 100);
    session.handle({ type: 'requested', message: second, timeoutMs: 5000 }, 101);
    expect(session.nextTimeoutMs()).toBe(105);
    expect(session.handle({ type: 'timePassed' }, 105)).toEqual([{ type: 'connect' }]);
    session.handle(lost, 106);
    expect(session.nextTimeoutMs()).toBe(116);
    session.handle({ type: 'timePassed' }, 116);
    expect(sent(session.handle({ type: 'connected' }, 117))).toEqual([first, second]);
  });

  it('does not wait for parts for ever that may have been lost with a connection', () => {
    const session = newSession();
    const message = submission(session);
    const { taskId } = message.body as { taskId: string };
    session.handle({ type: 'requested', message, timeoutMs: 5000 }, 0);
    session.handle(ack(message.body.requestId, taskId), 1);
    session.handle(lost, 2);
    session.handle({ type: 'timePassed' }, 10);
    session.handle({ type: 'connected' }, 11);
    session.handle(event(taskId, { chunkCount: 2 }), 12);
    const payload = new Uint8Array(1);
    session.handle(event(taskId, { kind: 'chunk', sequence: 1, payload }), 5000);
    expect(session.handle({ type: 'timePassed' }, 14_999)).toEqual([]);
    expect(session.nextTimeoutMs()).toBe(15_000);
    const effects = session.handle({ type: 'timePassed' }, 15_000);
    expect(effects.map(({ type }) => type)).toEqual(['chunksEnded', 'forgotten']);
    expect(effects[0]).toMatchObject({ failure: { type: 'CONNECTION_LOST' } });
  });

  it('gives up at once when another connection would end the same way', () => {
    const session = newSession();
    const why = failure('BAD_CERTIFICATE', 'Not the one we know.');
    session.handle({ type: 'requested', message: submission(session), timeoutMs: 5000 }, 0);
    const effects = session.handle({ type: 'disconnected', failure: why, random: 0.5 }, 1);
    expect(effects.map(({ type }) => type)).toEqual(['refused', 'forgotten', 'gaveUp']);
    expect(session.nextTimeoutMs()).toBeUndefined();
  });

  it('gives a long input more time', () => {
    const session = new Session({
      pending: { requestsMax: 8, bytesMax: 1e9 },
      chunks: { chunksMax: 4, bytesMax: 100 },
      giveUpAfterMs: 1000,
      reconnectDelayMs: () => 0,
    });
    const short = submission(session);
    if (short.type !== 'SubmitTask') throw new Error('not a submission');
    const body = { ...short.body, payload: new Uint8Array(3_000_000) };
    session.handle({ type: 'requested', message: { ...short, body }, timeoutMs: 5000 }, 0);
    expect(session.nextTimeoutMs()).toBe(8000);
  });

  const operation = fc.oneof(
    fc.record({ do: fc.constant('submit' as const), task: fc.nat(3) }),
    fc.record({ do: fc.constant('replay' as const), task: fc.nat(3) }),
    fc.record({ do: fc.constant('ask' as const) }),
    fc.record({ do: fc.constant('ack' as const), of: fc.nat(20), redirect: fc.boolean() }),
    fc.record({ do: fc.constant('refuse' as const), of: fc.nat(20) }),
    fc.record({ do: fc.constant('end' as const), task: fc.nat(3), ok: fc.boolean() }),
    fc.record({ do: fc.constant('chunk' as const), task: fc.nat(3), sequence: fc.nat(6) }),
    fc.record({ do: fc.constant('abandon' as const), of: fc.nat(20) }),
    fc.record({ do: fc.constant('lose' as const) }),
    fc.record({ do: fc.constant('connect' as const) }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.nat(400) }),
  );

  it('settles every request once and every task once, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const session = newSession();
        const tasks = [newTaskId(), newTaskId(), newTaskId(), newTaskId()];
        const made: RequestMessage[] = [];
        const settled = new Map<number, number>();
        const abandoned = new Set<number>();
        const watched = new Set<string>();
        const over = new Set<string>();
        let nowMs = 0;
        const drive = (input: SessionEvent): void => {
          for (const effect of session.handle(input, nowMs)) {
            if (effect.type === 'answered' || effect.type === 'refused') {
              settled.set(effect.requestId, (settled.get(effect.requestId) ?? 0) + 1);
            } else if (effect.type === 'taskLost') {
              expect(over.has(effect.taskId)).toBe(false);
              over.add(effect.taskId);
            } else if (effect.type === 'taskChanged') {
              expect(over.has(effect.event.taskId)).toBe(false);
              if (effect.event.kind === 'end') over.add(effect.event.taskId);
            } else if (effect.type === 'forgotten') {
              watched.delete(effect.taskId);
              over.delete(effect.taskId);
            }
          }
          // Beside the bounded ones: one to watch each task again, one to cancel each that was abandoned.
          const unbounded = session.watchedTasks + made.length;
          expect(session.pendingRequests).toBeLessThanOrEqual(8 + unbounded);
        };
        const request = (message: RequestMessage): void => {
          made.push(message);
          drive({ type: 'requested', message, timeoutMs: 300 });
        };
        for (const step of operations) {
          const of = 'of' in step ? made[step.of] : undefined;
          const taskId = 'task' in step ? (tasks[step.task] ?? '') : '';
          if (step.do === 'submit') request(submission(session, taskId));
          else if (step.do === 'replay') request(replay(session, taskId));
          else if (step.do === 'ask') {
            const body = { requestId: session.newRequestId(), view: 'summary' } as const;
            request({ type: 'QueryStatus', body });
          } else if (step.do === 'ack' && of?.type === 'SubmitTask') {
            const to = step.redirect ? (tasks[0] ?? '') : of.body.taskId;
            drive(ack(of.body.requestId, to, step.redirect));
          } else if (step.do === 'ack' && of?.type === 'ControlDeadLetter') {
            drive(ack(of.body.requestId, of.body.replayId ?? ''));
          } else if (step.do === 'refuse' && of !== undefined) {
            const { requestId } = of.body;
            const body = { requestId, failure: failure('QUEUE_FULL', 'full') };
            drive({ type: 'received', message: { type: 'ErrorReport', body } });
          } else if (step.do === 'end') {
            drive(event(taskId, { state: step.ok ? 'succeeded' : 'failed', chunkCount: 2 }));
          } else if (step.do === 'chunk') {
            const payload = new Uint8Array(30);
            drive(event(taskId, { kind: 'chunk', sequence: step.sequence, payload }));
          } else if (step.do === 'abandon' && of?.type === 'SubmitTask') {
            const { requestId, taskId: abandonedId } = of.body;
            abandoned.add(requestId);
            drive({ type: 'abandoned', taskId: abandonedId, requestId, reason: 'not wanted' });
          } else if (step.do === 'lose') drive(lost);
          else if (step.do === 'connect') drive({ type: 'connected' });
          else if (step.do === 'wait') {
            nowMs += step.ms;
            drive({ type: 'timePassed' });
          }
        }
        drive({ type: 'closed' });
        for (const { body } of made) {
          const times = settled.get(body.requestId) ?? 0;
          expect(times).toBeLessThanOrEqual(1);
          if (!abandoned.has(body.requestId)) expect(times).toBe(1);
        }
        expect(session.pendingRequests).toBe(0);
        expect(session.watchedTasks).toBe(0);
        expect(session.nextTimeoutMs()).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});
