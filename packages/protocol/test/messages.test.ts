import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  MESSAGES,
  decodeBody,
  encodeFrame,
  isExpected,
  messageTypeOf,
  type Message,
  type MessageOf,
  type MessageType,
} from '../src/index.ts';
import { encodeCbor } from '../src/cbor.ts';
import { messageTypes, messagesOfType, type SchemaView } from './support/arbitrary-messages.ts';
import { refusal } from './support/refusals.ts';
import { expectSame } from './support/same.ts';

const RUNS = 30;

const samples = new Map(
  messageTypes.map((type) => [type, fc.sample(messagesOfType(type), { seed: 5, numRuns: 3 })]),
);

/** Changes a few messages of a type, and expects that they are refused then. */
function refuseChanged(type: MessageType, change: (body: Record<string, unknown>) => void): void {
  for (const message of samples.get(type) ?? []) {
    const body = { ...message.body } as Record<string, unknown>;
    change(body);
    refusal('BAD_MESSAGE', () => decodeBody(type, encodeCbor(body)));
  }
}

describe.each(messageTypes)('%s', (type) => {
  test('is the same after encoding and decoding', () => {
    fc.assert(
      fc.property(messagesOfType(type), fc.constantFrom('share', 'copy'), (message, keep) => {
        const frame = encodeFrame(message);
        expectSame(decodeBody(type, frame.slice(5), keep), message);
        // Twice the same message gives twice the same bytes.
        expect(encodeFrame(message)).toStrictEqual(frame);
      }),
      { numRuns: RUNS },
    );
  });

  test('is refused with an unknown key', () => {
    refuseChanged(type, (body) => {
      body['somethingElse'] = 1;
    });
  });

  test('is refused without one of its required fields', () => {
    const { required = [] } = MESSAGES[type].schema as SchemaView;
    for (const name of required) {
      refuseChanged(type, (body) => {
        delete body[name];
      });
    }
  });

  test('is refused when a number is NaN or infinite, a fraction where a count is due, or a BigInt', () => {
    for (const [name, field] of Object.entries(
      (MESSAGES[type].schema as SchemaView).properties ?? {},
    )) {
      if (field.type !== 'number' && field.type !== 'integer') continue;
      const wrong = [Number.NaN, Infinity, -Infinity, '1', null, 2n ** 60n];
      if (field.type === 'integer') wrong.push(0.5, 2 ** 53, -1);
      for (const value of wrong) {
        refuseChanged(type, (body) => {
          body[name] = value;
        });
      }
    }
  });

  test('is refused when it is no map', () => {
    for (const value of [null, [], 'text', 1, new Uint8Array(1)]) {
      refusal('BAD_MESSAGE', () => decodeBody(type, encodeCbor(value)));
    }
  });
});

describe('the table of messages', () => {
  test('gives each message a number of its own between 1 and 255', () => {
    const numbers = messageTypes.map((type) => MESSAGES[type].number);
    expect(new Set(numbers).size).toBe(messageTypes.length);
    for (const type of messageTypes) {
      expect(messageTypeOf(MESSAGES[type].number)).toBe(type);
      expect(MESSAGES[type].number).toBeGreaterThan(0);
      expect(MESSAGES[type].number).toBeLessThan(256);
    }
    expect(messageTypeOf(0)).toBeUndefined();
    expect(messageTypeOf(0xff)).toBeUndefined();
  });

  test('lets every message that may carry a payload have a stream of its own', () => {
    for (const type of messageTypes) {
      const { properties = {} } = MESSAGES[type].schema as SchemaView;
      if (!('payloadBytes' in properties)) continue;
      const streams: readonly string[] = MESSAGES[type].on;
      expect(streams.includes('task') || streams.includes('dataset'), type).toBe(true);
    }
  });

  test('says who may send what where', () => {
    expect(isExpected('AgentTask', 'coordinator', 'dispatch')).toBe(true);
    expect(isExpected('AgentTask', 'agent', 'dispatch')).toBe(false);
    expect(isExpected('AgentTask', 'coordinator', 'control')).toBe(false);
    expect(isExpected('StreamOpen', 'client', 'dataset')).toBe(true);
    expect(isExpected('StreamOpen', 'client', 'control')).toBe(false);
  });
});

describe('fields', () => {
  const handshake = {
    protocolMin: 1,
    protocolMax: 1,
    agentId: 'agent-1',
    agentType: 'pattern',
    slots: 1,
    capabilities: ['PatternMatch'],
    labels: {},
    resources: {},
    heldLeases: [],
  };
  const accept = (changed: object) =>
    decodeBody('AgentHandshake', encodeCbor({ ...handshake, ...changed }));
  const refuse = (changed: object) => refusal('BAD_MESSAGE', () => accept(changed));

  test('that are wrong are named in the refusal', () => {
    expect(refuse({ agentId: '../etc/passwd' })).toContain('agentId');
    expect(refuse({ heldLeases: [{ epoch: 1, taskId: 'x', attempt: 1 }] })).toContain(
      'heldLeases.0.taskId',
    );
    expect(refuse({ capability: [] })).toContain(': capability');
    expect(refuse({ ['k'.repeat(5000)]: 1 }).length).toBeLessThan(600);
  });

  test('of type text accept only what their pattern says', () => {
    for (const agentId of ['', '-a', 'a b', 'a\n', 'ä', 'a'.repeat(65)]) refuse({ agentId });
    for (const agentId of ['a', '0', 'a.b_c-D', 'a'.repeat(64)]) accept({ agentId });
  });

  test('of type map bound their names and check every value, whatever its name', () => {
    accept({ labels: { zone: 'a', 'line\nbreak': 'b', ['n'.repeat(128)]: '' } });
    refuse({ labels: { '': 'a' } });
    refuse({ labels: { ['n'.repeat(129)]: 'a' } });
    refuse({ labels: { zone: 1 } });
    refuse({ labels: { 'line\nbreak': { hidden: true } } });
    refuse({ labels: { zone: 'a'.repeat(257) } });
    refuse({ resources: { cores: Number.NaN } });
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, 'v']));
    accept({ labels: many(256) });
    refuse({ labels: many(257) });
  });

  test('of type list bound their length', () => {
    accept({ capabilities: Array.from({ length: 4096 }, () => 'a') });
    refuse({ capabilities: Array.from({ length: 4097 }, () => 'a') });
  });

  test('of a typed array must have its very type, and may hold NaN and infinities', () => {
    const experience = {
      experienceId: 'e',
      taskId: '01900000-0000-7000-8000-000000000001',
      agentId: 'a',
      agentType: 'pattern',
      taskType: 'PatternMatch',
      context: Float64Array.of(1, Number.NaN, Infinity),
      contextVersion: 1,
      arm: { band: 5, normalise: true, algorithm: 'dtw' },
      armId: 'a',
      propensity: 1,
      latencyMs: 0,
      computeMs: 0,
      issuedAtStep: 0,
    };
    const decodeIt = (changed: object): Message =>
      decodeBody('ReasoningExperience', encodeCbor({ ...experience, ...changed }));
    expect(decodeIt({}).body).toStrictEqual(experience);
    for (const context of [[1, 2], Float32Array.of(1), new Uint8Array(8), 'text', null]) {
      expect(refusal('BAD_MESSAGE', () => decodeIt({ context }))).toContain('tag 86');
    }
    refusal('BAD_MESSAGE', () => decodeIt({ arm: { band: [1] } }));
  });

  test('of type map may have the names that every object has, whatever is behind them', () => {
    const percentiles = { p50Ms: 1, p90Ms: 2, p99Ms: 3, maxMs: 4 };
    const counts = { succeeded: 1, failed: 0, cancelled: 0, timedOut: 0, retried: 0 };
    const work = { ...counts, compute: percentiles, total: percentiles };
    const names = [
      'constructor',
      'toJSON',
      'toString',
      'valueOf',
      'hasOwnProperty',
      'then',
      'length',
    ];
    const reports = messagesOfType('StatusReport').filter(({ body }) => 'summary' in body);
    const [report] = fc.sample(reports, { seed: 1, numRuns: 1 });
    const { summary, ...rest } = (report as MessageOf<'StatusReport'>).body;
    const body = {
      ...rest,
      summary: {
        ...summary,
        errorsByType: Object.fromEntries(names.map((name, index) => [name, index])),
        byTaskType: Object.fromEntries(names.map((name) => [name, work])),
      },
    };
    expectSame(decodeBody('StatusReport', encodeCbor(body)).body, body);
    const labels = Object.fromEntries(names.map((name) => [name, name]));
    expectSame(accept({ labels }).body, { ...handshake, labels });
  });

  test('that are optional may be left out or undefined', () => {
    expect(accept({ software: undefined }).body).toStrictEqual({
      ...handshake,
      software: undefined,
    });
    refuse({ software: null });
  });
});
