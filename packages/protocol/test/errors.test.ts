import { describe, expect, test } from 'vitest';
import {
  ERRORS,
  NO_ERROR_WIRE_CODE,
  STATUS_CODES,
  SwarmError,
  decodeBody,
  encodeFrame,
  errorTypeOfWireCode,
  failure,
  isSwarmError,
  toFailure,
  type ErrorType,
  type Failure,
} from '../src/index.ts';

const types = Object.keys(ERRORS) as ErrorType[];

/** Across the wire, schema and all. */
function send(sent: Failure): Failure {
  const frame = encodeFrame({ type: 'ErrorReport', body: { failure: sent } });
  return (decodeBody('ErrorReport', frame.slice(5)).body as { failure: Failure }).failure;
}

describe('the table of errors', () => {
  test('gives each type a code of its own on the wire, and none the code for "no error"', () => {
    const codes = types.map((type) => ERRORS[type].wireCode);
    expect(new Set([...codes, NO_ERROR_WIRE_CODE]).size).toBe(types.length + 1);
    for (const type of types) expect(errorTypeOfWireCode(ERRORS[type].wireCode)).toBe(type);
    expect(errorTypeOfWireCode(NO_ERROR_WIRE_CODE)).toBeUndefined();
    expect(errorTypeOfWireCode(0)).toBeUndefined();
  });

  test.each(types)('%s has a sentence, a known status and a name that fits its schema', (type) => {
    expect(ERRORS[type].when).toMatch(/^[A-Z].{10,}\.$/u);
    expect(STATUS_CODES).toContain(ERRORS[type].code);
    expect(type).toMatch(/^[A-Z_]{1,64}$/u);
    expect(send(failure(type, 'why'))).toStrictEqual(failure(type, 'why'));
  });
});

describe('an error', () => {
  test('is the same failure after it was rebuilt on another machine', () => {
    const cause = new SwarmError('CONNECTION_LOST', 'lost', {
      cause: new TypeError('outer', { cause: new RangeError('inner') }),
    });
    const error = new SwarmError('QUEUE_FULL', 'full', { hint: 'wait', retryAfterMs: 250, cause });
    const sent = toFailure(error);
    expect(sent).toStrictEqual({
      code: 'RESOURCE_EXHAUSTED',
      type: 'QUEUE_FULL',
      message: 'full',
      retryable: true,
      hint: 'wait',
      retryAfterMs: 250,
      causes: [
        { type: 'CONNECTION_LOST', message: 'lost' },
        { type: 'TypeError', message: 'outer' },
        { type: 'RangeError', message: 'inner' },
      ],
    });
    const rebuilt = SwarmError.fromFailure(send(sent));
    expect(isSwarmError(rebuilt)).toBe(true);
    expect(toFailure(rebuilt)).toStrictEqual(sent);
    expect(String(rebuilt.cause)).toBe('CONNECTION_LOST: lost');
  });

  test("of a user's own class keeps its name, its message and its stack, as text", () => {
    class NoConvergence extends Error {
      override name = 'NoConvergence';
    }
    const sent = toFailure(new NoConvergence('after 100 steps'));
    expect(sent).toMatchObject({
      code: 'UNKNOWN',
      type: 'NoConvergence',
      message: 'after 100 steps',
      retryable: true,
    });
    expect(sent.stack).toContain('errors.test');
    const rebuilt = SwarmError.fromFailure(send(sent));
    expect(rebuilt.remoteStack).toBe(sent.stack);
    expect(toFailure(rebuilt)).toStrictEqual(sent);
  });

  test('without a name of its own takes the fallback', () => {
    expect(toFailure(new Error('x')).type).toBe('TASK_FAILED');
    expect(toFailure(new Error('x'), 'WORKER_CRASHED')).toMatchObject({
      type: 'WORKER_CRASHED',
      code: 'ABORTED',
    });
  });

  test('whose causes form a ring, or a long chain, is told in eight links', () => {
    const ring = new Error('a');
    ring.cause = new Error('b', { cause: ring });
    expect(toFailure(ring).causes).toHaveLength(8);
    let chain = new Error('last');
    for (let i = 0; i < 20; i++) chain = new Error(`link ${i}`, { cause: chain });
    expect(send(toFailure(chain)).causes).toHaveLength(8);
  });

  test('of any size and shape fits the wire', () => {
    const long = 'x'.repeat(100_000);
    const huge = new Error(long, { cause: new Error(long) });
    huge.name = long;
    huge.stack = long;
    const odd = Object.assign(new Error('odd'), { message: { not: 'text' }, name: undefined });
    const broken = Object.assign(new SwarmError('BAD_INPUT', 'x'), {
      type: '',
      hint: long,
      retryAfterMs: Number.NaN,
    });
    const cut = new SwarmError('BAD_INPUT', `${'x'.repeat(4095)}😀`, { retryAfterMs: 1e300 });
    const thrown = [
      huge,
      odd,
      broken,
      cut,
      undefined,
      null,
      7,
      'text',
      Symbol('s'),
      {},
      [],
      () => 1,
    ];
    thrown.push(Object.create(null) as object, {
      toString() {
        throw new Error('no');
      },
    });
    for (const value of thrown) {
      const sent = toFailure(value);
      expect(send(sent).type).toBe(sent.type);
    }
    expect(toFailure(broken).type).toBe('TASK_FAILED');
    expect(toFailure('text').message).toBe('text');
  });

  test('is recognised by its fields, not by its class', () => {
    const copy = Object.assign(new Error('x'), { code: 'UNKNOWN', type: 'Mine', retryable: false });
    expect(isSwarmError(copy)).toBe(true);
    for (const other of [
      new Error('x'),
      Object.assign(new Error('x'), { code: 'ENOENT', type: 'x', retryable: true }),
      Object.assign(new Error('x'), { code: 'UNKNOWN', type: 'x', retryable: 'yes' }),
      { code: 'UNKNOWN', type: 'x', retryable: true },
      null,
    ]) {
      expect(isSwarmError(other)).toBe(false);
    }
  });
});
