import { describe, expect, test } from 'vitest';
import { decodeCbor, decodeCborCopy, encodeCbor } from '../src/cbor.ts';
import { CBOR_DEPTH_MAX } from '../src/limits.ts';
import { refusal } from './support/refusals.ts';
import { bytesToHex, hexToBytes } from './support/tiny-cbor.ts';

const ITEMS_MAX = 65_536;

function decode(hex: string): unknown {
  const value = decodeCbor(hexToBytes(hex), ITEMS_MAX);
  expect(decodeCborCopy(hexToBytes(hex), ITEMS_MAX)).toStrictEqual(value);
  return value;
}

describe('the structural scan refuses', () => {
  test.each([
    ['an array of indefinite length', '9f01ff', 'indefinite'],
    ['a map of indefinite length', 'bf616101ff', 'indefinite'],
    ['a text of indefinite length', '7f6161ff', 'indefinite'],
    ['a byte string of indefinite length', '5f4101ff', 'indefinite'],
    ['a lone stop code, which cbor-x takes for {}', 'ff', 'indefinite'],
    ['reserved additional information', '1c', 'reserved'],
    ['nothing at all', '', 'ends early'],
    ['a number cut off', '1a0102', 'ends early'],
    ['an array cut off', '8201', 'more items than there are bytes'],
    ['a text that claims more than there is', '6361', 'more bytes than there are'],
    ['a byte string that claims 4 GiB', '5affffffff', 'more bytes than there are'],
    ['an array that claims 4 billion items', '9affffffff', 'more items than there are bytes'],
    ['a map that claims 4 billion entries', 'baffffffff', 'more items than there are bytes'],
    ['a length of eight bytes', '9b0000000000000001', 'length of eight bytes'],
    ['a byte behind the end', '0100', '1 bytes follow'],
    ['a positive bignum', 'c249010000000000000000', 'tag 2 '],
    ['a negative bignum', 'c349010000000000000000', 'tag 3 '],
    ['a date as text', 'c074323031332d30332d32315432303a30343a30305a', 'tag 0 '],
    ['a date as number', 'c11a514b67b0', 'tag 1 '],
    ['a decimal fraction', 'c48221196ab3', 'tag 4 '],
    ['a regular expression', 'd81b836652656745787061616167', 'tag 27 '],
    ['an object of a named class', 'd81b82654572726f726161', 'tag 27 '],
    ['a shared value', 'd81c80', 'tag 28 '],
    ['a reference to a shared value', 'd81d00', 'tag 29 '],
    ['packed values', 'd8338401808000', 'tag 51 '],
    ['an inline record of cbor-x', 'd9dfff8319e00081616101', 'tag 57343 '],
    ['record definitions of cbor-x', 'd9dffe8219e00081616101', 'tag 57342 '],
    ['bundled strings of cbor-x', 'd9dff98201', 'tag 57337 '],
    ['a legacy record of cbor-x', 'd86983010203', 'tag 105 '],
    ['a set', 'd9010280', 'tag 258 '],
    ['an explicit map', 'd90103a0', 'tag 259 '],
    ['the self-description', 'd9d9f700', 'tag 55799 '],
    ['a typed array of 16-bit floats', 'd8544100', 'tag 84 '],
    ['a big-endian array of 16-bit floats', 'd8504100', 'tag 80 '],
    ['a typed array of 128-bit floats', 'd85740', 'tag 87 '],
    ['a big-endian array of 128-bit floats', 'd85340', 'tag 83 '],
    ['the reserved tag among the typed arrays', 'd84c40', 'tag 76 '],
    ['a tag beyond all typed arrays', 'd85840', 'tag 88 '],
    ['a tag of eight bytes', 'db000000000000005640', 'length of eight bytes'],
    ['a typed array that ends inside an element', 'd8564401020304', 'inside an element'],
    ['a typed array that is no byte string', 'd85680', 'not a byte string'],
    ['a typed array that claims too much', 'd856580801', 'more bytes than there are'],
    ['a typed array without content', 'd856', 'ends early'],
    ['a typed array in a typed array', 'd856d85640', 'not a byte string'],
    ['an unassigned simple value', 'f0', 'simple value'],
    ['a simple value of two bytes', 'f8ff', 'simple value'],
    ['an integer beyond 2^53', '1b0020000000000000', '2^53'],
    ['an integer below −(2^53 − 1)', '3b001fffffffffffff', '2^53'],
    ['a number as key', 'a10102', 'key is not text'],
    ['a byte string as key', 'a1416102', 'key is not text'],
    ['a map as key', 'a1a002', 'key is not text'],
  ])('%s', (_name, hex, why) => {
    expect(refusal('BAD_MESSAGE', () => decodeCbor(hexToBytes(hex), ITEMS_MAX))).toContain(why);
  });

  test('one level of nesting more than allowed', () => {
    expect(decode(`${'81'.repeat(CBOR_DEPTH_MAX)}00`)).toBeInstanceOf(Array);
    for (const opening of ['81', 'a16161']) {
      const hex = `${opening.repeat(CBOR_DEPTH_MAX + 1)}00`;
      expect(refusal('BAD_MESSAGE', () => decode(hex))).toContain('nested deeper');
    }
  });

  test('a million levels of nesting, at once', () => {
    const bytes = new Uint8Array(1_000_000).fill(0x81);
    expect(refusal('BAD_MESSAGE', () => decodeCbor(bytes, ITEMS_MAX))).toContain('nested deeper');
  });

  test('one item more than allowed, where keys and values count singly', () => {
    expect(decodeCbor(hexToBytes('8201a1616102'), 5)).toStrictEqual([1, { a: 2 }]);
    const refused = () => decodeCbor(hexToBytes('8201a1616102'), 4);
    expect(refusal('BAD_MESSAGE', refused)).toContain('more than 4 items');
    // A megabyte of empty maps, which would take 192 MB once decoded.
    const amplified = new Uint8Array(1_000_000).fill(0xa0);
    amplified.set(hexToBytes('9a000f423b'));
    expect(refusal('BAD_MESSAGE', () => decodeCbor(amplified, ITEMS_MAX))).toContain('more than');
  });

  test('a 256 KiB bignum, which would hold cbor-x for 51 seconds', () => {
    const bytes = new Uint8Array(256 * 1024).fill(0xff);
    bytes.set(hexToBytes('c25a0003fffa'));
    expect(refusal('BAD_MESSAGE', () => decodeCbor(bytes, ITEMS_MAX))).toContain('tag 2 ');
  });
});

describe('keys', () => {
  test('that come twice in one map are refused, wherever the map is', () => {
    for (const hex of ['a2616101616102', '81a2616101616102', 'a16178a2616101616102']) {
      expect(refusal('BAD_MESSAGE', () => decode(hex))).toContain('same key twice');
    }
    expect(decode('a26161016162a1616101')).toStrictEqual({ a: 1, b: { a: 1 } });
  });

  test('named __proto__ change no prototype', () => {
    const value = decode('a1695f5f70726f746f5f5fa1617801') as Record<string, unknown>;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value['x']).toBeUndefined();
    expect({}).not.toHaveProperty('x');
  });

  test('named like members of Object are plain keys', () => {
    const value = { constructor: 1, toString: 2, hasOwnProperty: 3, valueOf: { prototype: 4 } };
    expect(decode(bytesToHex(encodeCbor(value)))).toStrictEqual(value);
  });
});

// RFC 8949, appendix A: every vector that falls into the subset.
describe('RFC 8949 appendix A', () => {
  test.each<[string, unknown]>([
    ['00', 0],
    ['01', 1],
    ['0a', 10],
    ['17', 23],
    ['1818', 24],
    ['1819', 25],
    ['1864', 100],
    ['1903e8', 1000],
    ['1a000f4240', 1_000_000],
    ['1b000000e8d4a51000', 1_000_000_000_000],
    ['20', -1],
    ['29', -10],
    ['3863', -100],
    ['3903e7', -1000],
    ['f90000', 0],
    ['f98000', -0],
    ['f93c00', 1],
    ['fb3ff199999999999a', 1.1],
    ['f93e00', 1.5],
    ['f97bff', 65_504],
    ['fa47c35000', 100_000],
    ['fa7f7fffff', 3.4028234663852886e38],
    ['fb7e37e43c8800759c', 1.0e300],
    ['f90001', 5.960464477539063e-8],
    ['f90400', 0.00006103515625],
    ['f9c400', -4],
    ['fbc010666666666666', -4.1],
    ['f97c00', Infinity],
    ['f97e00', Number.NaN],
    ['f9fc00', -Infinity],
    ['fa7f800000', Infinity],
    ['fa7fc00000', Number.NaN],
    ['faff800000', -Infinity],
    ['fb7ff0000000000000', Infinity],
    ['fb7ff8000000000000', Number.NaN],
    ['fbfff0000000000000', -Infinity],
    ['f4', false],
    ['f5', true],
    ['f6', null],
    ['f7', undefined],
    ['40', new Uint8Array(0)],
    ['4401020304', Uint8Array.of(1, 2, 3, 4)],
    ['60', ''],
    ['6161', 'a'],
    ['6449455446', 'IETF'],
    ['62225c', '"\\'],
    ['62c3bc', 'ü'],
    ['63e6b0b4', '水'],
    ['64f0908591', '\u{10151}'],
    ['80', []],
    ['83010203', [1, 2, 3]],
    ['8301820203820405', [1, [2, 3], [4, 5]]],
    [
      '98190102030405060708090a0b0c0d0e0f101112131415161718181819',
      Array.from({ length: 25 }, (_, index) => index + 1),
    ],
    ['a0', {}],
    ['a26161016162820203', { a: 1, b: [2, 3] }],
    ['826161a161626163', ['a', { b: 'c' }]],
    ['a56161614161626142616361436164614461656145', { a: 'A', b: 'B', c: 'C', d: 'D', e: 'E' }],
  ])('%s', (hex, value) => {
    expect(decode(hex)).toStrictEqual(value);
  });

  test.each([
    ['1bffffffffffffffff', 'an integer beyond'],
    ['c249010000000000000000', 'tag 2'],
    ['3bffffffffffffffff', 'an integer beyond'],
    ['a201020304', 'a key is not text'],
    ['f0', 'simple'],
    ['f8ff', 'simple'],
    ['c1fb41d452d9ed900000'.slice(0, 20), 'tag 1'],
    ['d74401020304', 'tag 23'],
    ['d818456449455446', 'tag 24'],
    ['d82076687474703a2f2f7777772e6578616d706c652e636f6d', 'tag 32'],
    ['5f42010243030405ff', 'indefinite'],
    ['9fff', 'indefinite'],
    ['826161bf61626163ff', 'indefinite'],
  ])('%s lies outside the subset', (hex, why) => {
    expect(refusal('BAD_MESSAGE', () => decode(hex))).toContain(why);
  });
});

describe('integers of eight bytes', () => {
  test('are numbers up to ±(2^53 − 1), at any depth', () => {
    expect(decode('1b001fffffffffffff')).toBe(Number.MAX_SAFE_INTEGER);
    expect(decode('3b001ffffffffffffe')).toBe(Number.MIN_SAFE_INTEGER);
    expect(decode('3b00000000ffffffff')).toBe(-(2 ** 32));
    expect(decode('3b0000000100000000')).toBe(-(2 ** 32) - 1);
    expect(decode('82a161611b00000003b9aca0001b0000000000000001')).toStrictEqual([{ a: 16e9 }, 1]);
  });

  test('of four bytes keep their sign', () => {
    expect(decode('3affffffff')).toBe(-(2 ** 32));
    expect(decode('1affffffff')).toBe(2 ** 32 - 1);
  });
});

// RFC 8746: the tag, the element in bytes, and what two elements mean.
describe('typed arrays', () => {
  test.each([
    [64, '0180', Uint8Array.of(1, 128)],
    [65, '01028000', Uint16Array.of(258, 32_768)],
    [66, '0000000180000000', Uint32Array.of(1, 2 ** 31)],
    [67, '00000000000000018000000000000000', BigUint64Array.of(1n, 2n ** 63n)],
    [68, '0180', Uint8ClampedArray.of(1, 128)],
    [69, '02010080', Uint16Array.of(258, 32_768)],
    [70, '0100000000000080', Uint32Array.of(1, 2 ** 31)],
    [71, '01000000000000000000000000000080', BigUint64Array.of(1n, 2n ** 63n)],
    [72, '0180', Int8Array.of(1, -128)],
    [73, '01028000', Int16Array.of(258, -32_768)],
    [74, '0000000180000000', Int32Array.of(1, -(2 ** 31))],
    [75, '00000000000000018000000000000000', BigInt64Array.of(1n, -(2n ** 63n))],
    [77, '02010080', Int16Array.of(258, -32_768)],
    [78, '0100000000000080', Int32Array.of(1, -(2 ** 31))],
    [79, '01000000000000000000000000000080', BigInt64Array.of(1n, -(2n ** 63n))],
    [81, '3f8000007fc00000', Float32Array.of(1, Number.NaN)],
    [82, '3ff8000000000000fff0000000000000', Float64Array.of(1.5, -Infinity)],
    [85, '0000803f0000c07f', Float32Array.of(1, Number.NaN)],
    [86, '000000000000f83f000000000000f0ff', Float64Array.of(1.5, -Infinity)],
  ])('tag %i decodes', (tag, content, expected) => {
    const typed = `d8${tag.toString(16)}${(0x40 + content.length / 2).toString(16)}${content}`;
    expect(decode(typed)).toStrictEqual(expected);
    // Behind a text of any length, so that the data starts at every offset in its buffer.
    for (let length = 0; length < 9; length++) {
      const text = (0x60 + length).toString(16) + '78'.repeat(length);
      expect(decode(`83${text}${typed}01`)).toStrictEqual(['x'.repeat(length), expected, 1]);
    }
    expect(decode(`d8${tag.toString(16)}40`)).toHaveLength(0);
    if (tag > 67 && (tag < 73 || tag > 75) && tag !== 81 && tag !== 82) {
      expect(bytesToHex(encodeCbor(expected))).toBe(typed);
    }
  });
});

describe('what is decoded', () => {
  test('by copy shares no memory with the bytes', () => {
    const bytes = encodeCbor([Uint8Array.of(1, 2), Int8Array.of(3), Float64Array.of(4, 5), 'six']);
    for (const offset of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const moved = new Uint8Array(bytes.length + offset).subarray(offset);
      moved.set(bytes);
      const value = decodeCborCopy(moved, ITEMS_MAX);
      moved.fill(0xff);
      decodeCborCopy(encodeCbor(['another', Uint8Array.of(9, 9, 9, 9)]), ITEMS_MAX);
      expect(value).toStrictEqual([
        Uint8Array.of(1, 2),
        Int8Array.of(3),
        Float64Array.of(4, 5),
        'six',
      ]);
    }
  });

  test('by copy is right for items longer than the scratch memory', () => {
    const long = { name: 'x'.repeat(100), bytes: new Uint8Array(20_000).fill(7) };
    const bytes = encodeCbor(long);
    const value = decodeCborCopy(bytes, ITEMS_MAX);
    bytes.fill(0);
    expect(value).toStrictEqual(long);
  });

  test('has replacement characters where the text is not UTF-8', () => {
    expect(decode('62c328')).toBe('\uFFFD(');
    // Two keys that become the same one are the same key twice.
    expect(refusal('BAD_MESSAGE', () => decode('a261ff0161fe02'))).toContain('same key twice');
  });
});

describe('the encoder', () => {
  test('answers with bytes of their own, also after a large item', () => {
    const first = encodeCbor('first');
    const large = encodeCbor(new Uint8Array(3_000_000));
    const small = encodeCbor('small');
    expect(first.buffer.byteLength).toBe(first.length);
    expect(small.buffer.byteLength).toBe(small.length);
    expect(bytesToHex(first)).toBe('656669727374');
    expect(large).toHaveLength(3_000_005);
    for (let i = 0; i < 2000; i++) encodeCbor(['filling', 'the', 'buffer', i]);
    expect(bytesToHex(small)).toBe('65736d616c6c');
  });

  test('works on after it has thrown', () => {
    expect(() => encodeCbor([1, 2, Symbol('no')])).toThrow('symbol');
    expect(bytesToHex(encodeCbor([1, 2]))).toBe('820102');
  });

  test.each([0, 23, 24, -1, -24, -25, 255, 256, -257, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 16e9])(
    'carries the number %d',
    (number) => {
      expect(decode(bytesToHex(encodeCbor(number)))).toBe(number);
      expect(decode(bytesToHex(encodeCbor(-number)))).toBe(number === 0 ? 0 : -number);
    },
  );

  test.each([23, 24, 31, 32, 63, 64, 65, 255, 256, 65_535, 65_536])(
    'carries texts of %i characters of one to four bytes',
    (length) => {
      for (const character of ['a', 'ü', '水', '😀']) {
        const text = character.repeat(length);
        expect(decodeCborCopy(encodeCbor(text), ITEMS_MAX) === text).toBe(true);
        expect(decodeCbor(encodeCbor(text), ITEMS_MAX) === text).toBe(true);
      }
    },
  );
});
