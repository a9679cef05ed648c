/**
 * CBOR that is valid and not as our encoder writes it, and bytes that were damaged: what tells a decoder that reads one
 * form from one that reads them all.
 */
import fc from 'fast-check';

/** Chooses among so many possibilities, from 0. */
export type Choose = (possibilities: number) => number;

/** One item with numbers, lengths and orders of keys in any of the forms that CBOR has for them. */
export function encodeUnusual(value: unknown, choose: Choose): number[] {
  if (value === undefined) return [0xf7];
  if (value === null) return [0xf6];
  if (typeof value === 'boolean') return [value ? 0xf5 : 0xf4];
  if (typeof value === 'number') return encodeNumber(value, choose);
  if (typeof value === 'string') {
    const utf8 = new TextEncoder().encode(value);
    return [...head(3, utf8.length, choose, 4), ...utf8];
  }
  if (value instanceof Uint8Array) return [...head(2, value.length, choose, 4), ...value];
  if (Array.isArray(value)) {
    return [
      ...head(4, value.length, choose, 4),
      ...value.flatMap((item) => encodeUnusual(item, choose)),
    ];
  }
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value;
    const tag = { Float64Array: 86, Float32Array: 85, Uint32Array: 70, Int8Array: 72 }[
      value.constructor.name
    ];
    return [
      ...head(6, tag ?? 64, choose, 4),
      ...head(2, byteLength, choose, 4),
      ...new Uint8Array(buffer, byteOffset, byteLength),
    ];
  }
  const entries = Object.entries(value);
  if (choose(4) === 0 && entries.length > 1) {
    const [moved] = entries.splice(choose(entries.length), 1);
    if (moved !== undefined) entries.splice(choose(entries.length + 1), 0, moved);
  }
  // A key twice, a key too many, a key too few.
  if (choose(40) === 0) entries.push(entries[choose(entries.length)] ?? ['__proto__', 1]);
  if (choose(40) === 0) entries.push(['somethingElse', choose(2) === 0 ? undefined : {}]);
  if (choose(40) === 0) entries.splice(choose(entries.length), 1);
  return [
    ...head(5, entries.length, choose, 4),
    ...entries.flatMap(([key, item]) => [
      ...encodeUnusual(key, choose),
      ...encodeUnusual(choose(60) === 0 ? undefined : item, choose),
    ]),
  ];
}

function encodeNumber(value: number, choose: Choose): number[] {
  const view = new DataView(new ArrayBuffer(8));
  const isInteger = Number.isSafeInteger(value) && !Object.is(value, -0);
  if (isInteger && choose(3) > 0) {
    return value < 0 ? head(1, -1 - value, choose, 8) : head(0, value, choose, 8);
  }
  if (Math.fround(value) === value && choose(2) === 0) {
    view.setFloat32(0, value);
    return [0xfa, ...new Uint8Array(view.buffer, 0, 4)];
  }
  view.setFloat64(0, value);
  return [0xfb, ...new Uint8Array(view.buffer)];
}

/** Any of the lengths of up to `bytesMax` bytes that can hold the argument; mostly the shortest. */
function head(major: number, argument: number, choose: Choose, bytesMax: number): number[] {
  const sizes = [0, 1, 2, 4, 8].filter(
    (size) => size <= bytesMax && (size === 0 ? argument < 24 : argument < 2 ** (8 * size)),
  );
  const size = sizes[choose(4) === 0 ? choose(sizes.length) : 0] ?? 8;
  if (size === 0) return [(major << 5) | argument];
  const hex =
    argument
      .toString(16)
      .padStart(size * 2, '0')
      .match(/../gu) ?? [];
  return [(major << 5) | (24 + Math.log2(size)), ...hex.map((pair) => Number(`0x${pair}`))];
}

/** One change to some bytes. */
export interface Damage {
  readonly kind: 'flip' | 'set' | 'insert' | 'delete' | 'truncate' | 'repeat';
  readonly at: number;
  readonly byte: number;
}

/** Few changes to bytes of any length. */
export const damages: fc.Arbitrary<readonly Damage[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('flip', 'flip', 'set', 'insert', 'delete', 'truncate', 'repeat'),
    at: fc.nat(10_000),
    byte: fc.nat(255),
  }),
  { minLength: 1, maxLength: 3 },
);

export function damaged(bytes: Uint8Array, changes: readonly Damage[]): Uint8Array {
  let list = [...bytes];
  for (const { kind, at: place, byte } of changes) {
    const at = place % Math.max(1, list.length);
    if (kind === 'flip') list[at] = (list[at] ?? 0) ^ (1 << (byte & 7));
    else if (kind === 'set') list[at] = byte;
    else if (kind === 'insert') list.splice(at, 0, byte);
    else if (kind === 'delete') list.splice(at, 1 + (byte & 3));
    else if (kind === 'truncate') list = list.slice(0, at);
    else list.splice(at, 0, ...list.slice(at, at + 1 + (byte & 31)));
  }
  return Uint8Array.from(list);
}
