import { inspect, isDeepStrictEqual } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BUILT_IN_TASK_TYPES,
  TASK_DOCUMENTS,
  decodeDocument,
  decodeInput,
  decodeResult,
  encodeDocument,
  isSwarmError,
} from '../src/index.ts';
import { UNREAD, decodeShortDocument, encodeShortDocument } from '../src/fast/document.ts';
import { decodeGeneralDocument, encodeGeneralDocument } from '../src/general-document.ts';
import { CBOR_DEPTH_MAX, CBOR_ITEMS_MAX, DOCUMENT_ITEMS_MAX } from '../src/limits.ts';
import { valuesOf, type SchemaView } from './support/arbitrary-messages.ts';
import { refusal } from './support/refusals.ts';
import { expectSame } from './support/same.ts';
import { hexToBytes } from './support/tiny-cbor.ts';
import { damaged, damages, encodeUnusual } from './support/unusual-cbor.ts';

/** Cases of the properties that compare two paths; more by the environment. */
const RUNS = Number(process.env['CODEC_RUNS'] ?? 400);

describe('a document', () => {
  test('of any shape is the same after encoding and decoding', () => {
    const values = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(
          fc.constantFrom(
            null,
            undefined,
            true,
            false,
            '',
            Number.NaN,
            Infinity,
            2 ** 53,
            -(2 ** 40),
          ),
          fc.integer(),
          fc.double().map((number) => (number === 0 ? 0 : number)),
          fc.string({ unit: 'grapheme' }),
          fc.uint8Array(),
          fc.float64Array(),
          fc.int16Array(),
        ),
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(
          fc.string().filter((key) => key !== '__proto__'),
          tie('value'),
          { maxKeys: 5, noNullPrototype: true },
        ),
      ),
    }));
    fc.assert(
      fc.property(values.value, (value) => {
        expectSame(decodeDocument(encodeDocument(value)), value);
      }),
      { numRuns: 300 },
    );
  });

  test('keeps typed arrays of every kind, shared memory included', () => {
    const shared = new Float64Array(new SharedArrayBuffer(24), 8, 2);
    shared.set([1.5, Number.NaN]);
    const value = {
      a: Uint8ClampedArray.of(1),
      b: BigInt64Array.of(-1n),
      c: Float32Array.of(0.5),
      shared,
    };
    expect(decodeDocument(encodeDocument(value))).toStrictEqual({
      ...value,
      shared: Float64Array.of(1.5, Number.NaN),
    });
  });

  test('takes plain objects of another realm and without a prototype', () => {
    const other: unknown = runInContext('({ inner: { x: 1 } })', createContext());
    expect(decodeDocument(encodeDocument(other))).toStrictEqual({ inner: { x: 1 } });
    const bare = Object.assign(Object.create(null) as object, { x: 1 });
    expect(decodeDocument(encodeDocument(bare))).toStrictEqual({ x: 1 });
  });

  class Matches extends Array<number> {}
  class Match {
    start = 1;
  }
  test.each<[string, unknown, string]>([
    ['a Date', new Date(0), 'instance of Date'],
    ['a Map', new Map([['a', 1]]), 'instance of Map'],
    ['a Set', new Set([1]), 'instance of Set'],
    ['a RegExp', /a/, 'instance of RegExp'],
    ['an Error', new Error('no'), 'instance of Error'],
    ['a promise, where await was forgotten', Promise.resolve(1), 'instance of Promise'],
    ['an instance of a class', new Match(), 'instance of Match'],
    ['an instance of a class of lists', Matches.of(1), 'not a plain array'],
    ['an ArrayBuffer', new ArrayBuffer(1), 'instance of ArrayBuffer'],
    ['a DataView', new DataView(new ArrayBuffer(1)), 'a DataView'],
    ['a BigInt', 1n, 'is a bigint'],
    ['a function', () => 1, 'is a function'],
    ['a symbol', Symbol('s'), 'is a symbol'],
    ['half a surrogate pair', '\uD83D', 'surrogate'],
  ])('refuses %s, says where it is and what to use instead', (_name, value, why) => {
    for (const document of [value, { list: [1, { when: value }] }]) {
      const text = refusal('BAD_INPUT', () => encodeDocument(document));
      expect(text).toContain(why);
      expect(text).toContain('Use plain objects');
    }
    expect(refusal('BAD_INPUT', () => encodeDocument({ list: [1, { when: value }] }))).toContain(
      'it.list[1].when',
    );
  });

  test('refuses rings, deep nesting and a key __proto__', () => {
    const ring: Record<string, unknown> = {};
    ring['self'] = [ring];
    expect(refusal('BAD_INPUT', () => encodeDocument(ring))).toContain('a ring');
    const nested = (levels: number): unknown =>
      Array.from({ length: levels }).reduce((inner: unknown) => [inner], 0);
    encodeDocument(nested(CBOR_DEPTH_MAX));
    refusal('BAD_INPUT', () => encodeDocument(nested(CBOR_DEPTH_MAX + 1)));
    const polluting: unknown = JSON.parse('{"__proto__": {"x": 1}}');
    expect(refusal('BAD_INPUT', () => encodeDocument(polluting))).toContain('__proto__');
  });

  test('may have more items than a message, and not endlessly many', () => {
    const list = Array.from({ length: CBOR_ITEMS_MAX + 1 }, () => true);
    expect(decodeDocument(encodeDocument(list))).toHaveLength(CBOR_ITEMS_MAX + 1);
    const longest = Array.from({ length: DOCUMENT_ITEMS_MAX }, () => true);
    expect(refusal('BAD_INPUT', () => encodeDocument(longest))).toContain('items');
  });

  test('that is none is refused when it is read', () => {
    expect(refusal('BAD_INPUT', () => decodeDocument(hexToBytes('ff')))).toContain(
      'not a document',
    );
    refusal('BAD_INPUT', () => decodeDocument(new Uint8Array(0)));
    refusal('BAD_INPUT', () => decodeInput('PatternMatch', hexToBytes('c100')));
    refusal('BAD_MESSAGE', () => decodeResult('PatternMatch', hexToBytes('c100')));
  });
});

describe.each(BUILT_IN_TASK_TYPES)('%s', (taskType) => {
  const { input, result } = TASK_DOCUMENTS[taskType];

  test('takes its input and gives its result unchanged', () => {
    const property = (schema: unknown, decode: (bytes: Uint8Array) => unknown): void => {
      fc.assert(
        fc.property(valuesOf(schema as SchemaView), (value) => {
          expectSame(decode(encodeDocument(value)), value);
        }),
        { numRuns: 40 },
      );
    };
    property(input, (bytes) => decodeInput(taskType, bytes));
    property(result, (bytes) => decodeResult(taskType, bytes));
  });

  test('refuses unknown keys and missing ones', () => {
    for (const [schema, decode, type] of [
      [input, decodeInput, 'BAD_INPUT'],
      [result, decodeResult, 'BAD_MESSAGE'],
    ] as const) {
      const [value] = fc.sample(valuesOf(schema as SchemaView), { seed: 3, numRuns: 1 });
      const bytes = encodeDocument({ ...(value as object), bandd: 1 });
      expect(refusal(type, () => decode(taskType, bytes))).toContain('bandd');
      refusal(type, () => decode(taskType, encodeDocument({})));
    }
  });
});

test('a wrong field of an input is named with the task type', () => {
  const bytes = encodeDocument({
    series: { values: Float64Array.of(1) },
    query: { values: Float64Array.of(1) },
    algorithm: 'dtw',
    topK: 0,
  });
  const why = refusal('BAD_INPUT', () => decodeInput('PatternMatch', bytes));
  expect(why).toContain('PatternMatch');
  expect(why).toContain('topK');
});

describe('a short document', () => {
  const leaves = fc.oneof(
    fc.constantFrom(null, undefined, true, false, '', 'x', 0, -0, 23, 24, 2 ** 32, -(2 ** 32) - 1),
    fc.constantFrom<unknown>(Number.NaN, new Date(0), 1n, new Map(), Symbol('s'), /x/u, Infinity),
    fc.integer(),
    fc.double(),
    fc.string({ maxLength: 30 }),
    fc.string({ unit: 'binary', maxLength: 5 }),
    fc.string({ minLength: 200, maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }),
    fc.float64Array({ maxLength: 3 }),
  );
  const keys = fc.oneof(
    fc.constantFrom('a', 'window', 'constructor', 'toString', '__proto__', 'é', 'x'.repeat(40)),
    fc.string({ maxLength: 6 }),
  );
  const anything = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaves,
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(keys, tie('value'), { maxKeys: 5 }),
    ),
  })).value;
  const outcomeOf = (act: () => unknown): unknown => {
    try {
      return { value: act() };
    } catch (error) {
      if (!isSwarmError(error)) throw error;
      return { type: error.type, words: error.message, hint: error.hint };
    }
  };

  test('has the bytes of the general path, or is refused in the same words', () => {
    let short = 0;
    fc.assert(
      fc.property(anything, (value) => {
        expect(outcomeOf(() => encodeDocument(value))).toStrictEqual(
          outcomeOf(() => encodeGeneralDocument(value)),
        );
        if (encodeShortDocument(value) !== undefined) short += 1;
      }),
      { numRuns: RUNS },
    );
    expect(short).toBeGreaterThan(RUNS / 5);
  });

  test('has the bytes of the general path when it is long, whichever of the two writes it', () => {
    const written = [255, 256, 7000, 40_000, 70_000].map((length) => {
      const list = Array.from({ length }, (_, index) => index % 300);
      expect(encodeDocument(list)).toStrictEqual(encodeGeneralDocument(list));
      return encodeShortDocument(list) !== undefined;
    });
    expect(written).toEqual([true, true, true, false, false]);
  });

  test('is read as by the general path, damaged or not', () => {
    let short = 0;
    fc.assert(
      fc.property(
        anything,
        fc.array(damages, { maxLength: 3 }),
        fc.infiniteStream(fc.nat(2 ** 20)),
        (value, all, numbers) => {
          let bytes: Uint8Array;
          try {
            bytes = encodeGeneralDocument(value);
          } catch {
            return;
          }
          const choose = (possibilities: number): number =>
            (numbers.next().value as number) % possibilities;
          const unusual = Uint8Array.from(encodeUnusual(value, choose));
          for (const each of [bytes, unusual, ...all.map((changes) => damaged(bytes, changes))]) {
            const [fast, general] = [
              outcomeOf(() => decodeDocument(each)),
              outcomeOf(() => decodeGeneralDocument('BAD_INPUT', each)),
            ];
            // `toStrictEqual` would take a field named constructor for a class.
            expect(
              isDeepStrictEqual(fast, general),
              `${inspect(fast)} and ${inspect(general)}`,
            ).toBe(true);
            if (decodeShortDocument(each) !== UNREAD) short += 1;
          }
        },
      ),
      { numRuns: RUNS },
    );
    expect(short).toBeGreaterThan(RUNS / 5);
  });

  test.each([
    ['a2616101616102', 'same key twice'],
    ['a26461626364016461626364f6', 'same key twice'],
    ['811b0020000000000000', '2^53'],
    ['82011bffffffffffffffff', '2^53'],
    ['a16161440102', 'more bytes than there are'],
  ])('%s is refused like any other: %s', (hex, why) => {
    const bytes = hexToBytes(hex);
    const outcome = outcomeOf(() => decodeDocument(bytes));
    expect(outcome).toStrictEqual(outcomeOf(() => decodeGeneralDocument('BAD_INPUT', bytes)));
    expect(outcome).toMatchObject({ words: expect.stringContaining(why) as string });
  });

  // Every first byte, with as much behind it as a text of that many characters would have, and less, and more.
  test('no other item is taken for a text, as a value or as a key', () => {
    for (let head = 0x60; head <= 0xff; head += 1) {
      for (const before of [[], [0xa1], [0x81]]) {
        for (let length = 0; length <= 0xa2; length += 1) {
          const bytes = Uint8Array.from([...before, head, ...Array.from({ length }, () => 0x20)]);
          const [fast, general] = [
            outcomeOf(() => decodeDocument(bytes)),
            outcomeOf(() => decodeGeneralDocument('BAD_INPUT', bytes)),
          ];
          expect(isDeepStrictEqual(fast, general), `${inspect(bytes)}: ${inspect(fast)}`).toBe(
            true,
          );
        }
      }
    }
  });

  test('a text whose length has two bytes is one text', () => {
    const bytes = Uint8Array.from([0x79, 0x00, 0x17, ...Array.from({ length: 0x17 }, () => 0x61)]);
    expect(decodeDocument(bytes)).toBe('a'.repeat(0x17));
  });

  test('shares no memory with what it was read from or encoded into', () => {
    const first = encodeDocument({ bytes: Uint8Array.of(1, 2) });
    const copy = first.slice();
    encodeDocument({ other: 'value of the same length' });
    expect(first).toStrictEqual(copy);
    expect(first.buffer.byteLength).toBe(first.length);
    const value = decodeDocument(first);
    first.fill(0);
    expect(value).toStrictEqual({ bytes: Uint8Array.of(1, 2) });
  });
});
