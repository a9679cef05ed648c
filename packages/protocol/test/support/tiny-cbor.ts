/**
 * CBOR from RFC 8949 and nothing else, to check the vectors independently of cbor-x: readable, slow, trusting.
 * A typed array (RFC 8746) is written `{ $float64: [1, 2] }` and a byte string `{ $bytes: 'c0ffee' }`.
 */
const TYPED = {
  $uint8: { tag: 64, bytes: 1, get: 'getUint8', set: 'setUint8' },
  $uint16: { tag: 69, bytes: 2, get: 'getUint16', set: 'setUint16' },
  $uint32: { tag: 70, bytes: 4, get: 'getUint32', set: 'setUint32' },
  $int8: { tag: 72, bytes: 1, get: 'getInt8', set: 'setInt8' },
  $int16: { tag: 77, bytes: 2, get: 'getInt16', set: 'setInt16' },
  $int32: { tag: 78, bytes: 4, get: 'getInt32', set: 'setInt32' },
  $float32: { tag: 85, bytes: 4, get: 'getFloat32', set: 'setFloat32' },
  $float64: { tag: 86, bytes: 8, get: 'getFloat64', set: 'setFloat64' },
} as const;

/** JSON with the two notations above; numbers that JSON lacks are the texts NaN, Infinity and -Infinity. */
export type Readable =
  | null
  | boolean
  | number
  | string
  | readonly Readable[]
  | { readonly [key: string]: Readable };

export function encodeTiny(value: Readable): number[] {
  if (value === null) return [0xf6];
  if (typeof value === 'boolean') return [value ? 0xf5 : 0xf4];
  if (typeof value === 'number') return encodeNumber(value);
  if (typeof value === 'string') {
    const utf8 = [...new TextEncoder().encode(value)];
    return [...head(3, utf8.length), ...utf8];
  }
  if (isList(value)) return [...head(4, value.length), ...value.flatMap(encodeTiny)];
  const [[name, content] = ['', null]] = Object.entries(value);
  if (name === '$bytes') {
    const bytes = hexToBytes(content as string);
    return [...head(2, bytes.length), ...bytes];
  }
  if (name in TYPED) {
    const { tag, bytes, set } = TYPED[name as keyof typeof TYPED];
    const numbers = (content as readonly (number | string)[]).map(Number);
    const view = new DataView(new ArrayBuffer(numbers.length * bytes));
    numbers.forEach((number, index) => view[set](index * bytes, number, true));
    return [...head(6, tag), ...head(2, view.byteLength), ...new Uint8Array(view.buffer)];
  }
  const entries = Object.entries(value);
  return [
    ...head(5, entries.length),
    ...entries.flatMap(([key, item]) => [...encodeTiny(key), ...encodeTiny(item)]),
  ];
}

/** Decodes one item; answers it with the position behind it. */
export function decodeTiny(bytes: Uint8Array, start = 0): { value: Readable; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const major = view.getUint8(start) >> 5;
  const information = view.getUint8(start) & 31;
  if (major === 7) {
    if (information === 27) return { value: view.getFloat64(start + 1), end: start + 9 };
    const value = new Map([[20, false] as const, [21, true], [22, null]]).get(information);
    if (value === undefined) throw new Error(`Simple value ${information}.`);
    return { value, end: start + 1 };
  }
  const size = information < 24 ? 0 : 2 ** (information - 24);
  let argument = information;
  if (size > 0) argument = Number(`0x${bytesToHex(bytes.subarray(start + 1, start + 1 + size))}`);
  let end = start + 1 + size;
  if (major === 0) return { value: argument, end };
  if (major === 1) return { value: -1 - argument, end };
  if (major === 2 || major === 3) {
    const content = bytes.subarray(end, end + argument);
    const value = major === 2 ? { $bytes: bytesToHex(content) } : new TextDecoder().decode(content);
    return { value, end: end + argument };
  }
  if (major === 6) {
    const content = decodeTiny(bytes, end);
    const found = Object.entries(TYPED).find(([, { tag }]) => tag === argument);
    if (found === undefined) throw new Error(`Tag ${argument}.`);
    const [name, { bytes: size_, get }] = found;
    const data = new DataView(
      hexToBytes((content.value as { $bytes: string }).$bytes).buffer as ArrayBuffer,
    );
    const numbers = Array.from({ length: data.byteLength / size_ }, (_, index) =>
      readable(data[get](index * size_, true)),
    );
    return { value: { [name]: numbers }, end: content.end };
  }
  const items: Readable[] = [];
  for (let i = 0; i < (major === 5 ? 2 * argument : argument); i++) {
    const item = decodeTiny(bytes, end);
    items.push(item.value);
    end = item.end;
  }
  if (major === 4) return { value: items, end };
  const pairs = items.flatMap((key, i) => (i % 2 === 0 ? [[key, items[i + 1]] as const] : []));
  return { value: Object.fromEntries(pairs) as Record<string, Readable>, end };
}

function encodeNumber(value: number): number[] {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return head(0, value);
  if (Number.isInteger(value) && value < 0 && value >= -(2 ** 32)) return head(1, -1 - value);
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return [0xfb, ...new Uint8Array(view.buffer)];
}

function head(major: number, argument: number): number[] {
  if (argument < 24) return [(major << 5) | argument];
  const size = argument < 2 ** 8 ? 1 : argument < 2 ** 16 ? 2 : 4;
  const hex = argument.toString(16).padStart(size * 2, '0');
  return [(major << 5) | (24 + Math.log2(size)), ...hexToBytes(hex)];
}

function readable(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

function isList(value: Readable): value is readonly Readable[] {
  return Array.isArray(value);
}

export function hexToBytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.replaceAll(/\s/gu, '').match(/../gu) ?? [], (pair) =>
    Number(`0x${pair}`),
  );
}

export function bytesToHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The readable notation of a value of the codec; undefined fields must not occur. */
export function toReadable(value: unknown): Readable {
  if (value instanceof Uint8Array) return { $bytes: bytesToHex(value) };
  if (ArrayBuffer.isView(value)) {
    const name = `$${value.constructor.name.replace('Array', '').toLowerCase()}`;
    return { [name]: Array.from(value as Float64Array, readable) };
  }
  if (Array.isArray(value)) return value.map(toReadable);
  if (typeof value !== 'object' || value === null) return value as Readable;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toReadable(item)]));
}

/** The value of the codec that a readable notation stands for. */
export function fromReadable(value: Readable): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map(fromReadable);
  const [[name, content] = ['', null]] = Object.entries(value);
  if (name === '$bytes') return hexToBytes(content as string);
  const numbers = () => (content as readonly (number | string)[]).map(Number);
  if (name === '$float64') return Float64Array.from(numbers());
  if (name === '$float32') return Float32Array.from(numbers());
  if (name === '$uint32') return Uint32Array.from(numbers());
  if (name === '$int8') return Int8Array.from(numbers());
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromReadable(item)]));
}
