/**
 * CBOR in and out. Decoding always goes through the structural scan; what comes back is plain objects, arrays,
 * strings, numbers, booleans, null, undefined, byte strings and typed arrays, nothing else.
 *
 * The pure JavaScript build of cbor-x is imported on purpose: the native string extractor of its main entry is C++
 * that would read hostile bytes, and on messages of this size it is slower.
 */
import { Decoder } from 'cbor-x/decode';
import { Encoder } from 'cbor-x/encode';
import { SwarmError } from './errors.ts';
import { scanCbor } from './cbor-scan.ts';

const options = {
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  tagUint8Array: false,
} as const;
const decoder = new Decoder(options) as Decode;
const copyingDecoder = new Decoder({ ...options, copyBuffers: true }) as Decode;
const encoder = new Encoder(options) as unknown as Encode;

/** What the declarations of cbor-x leave out. */
interface Decode {
  decode(bytes: Uint8Array, end?: number): unknown;
}
interface Encode {
  encode(value: unknown, mode: number): Uint8Array & { start: number; end: number };
  useBuffer(buffer: Uint8Array): void;
}

// REUSE_BUFFER_MODE: answer with the encoder's own buffer and the range in it. RESET_BUFFER_MODE: write over it next
// time. Together they save an allocation and a view for each message.
const IN_PLACE = 512 | 1024;
const encoderBuffer: Uint8Array = encoder.encode(null, IN_PLACE);
const ENCODER_BUFFER_BYTES_KEPT = 1024 * 1024;

/**
 * Encodes one item behind `prefixBytes` bytes that the caller fills in.
 * @param allocate where the result lies; it belongs to whoever called
 */
export function encodeCborBehind(
  prefixBytes: number,
  value: unknown,
  allocate: (bytes: number) => Uint8Array,
): Uint8Array {
  const buffer = encoder.encode(value, IN_PLACE);
  const result = allocate(prefixBytes + buffer.end - buffer.start);
  result.set(buffer.subarray(buffer.start, buffer.end), prefixBytes);
  // One large item must not leave the process with a large buffer for ever.
  if (buffer.length > ENCODER_BUFFER_BYTES_KEPT) encoder.useBuffer(encoderBuffer);
  return result;
}

/** Encodes one item into an array of its own. */
export function encodeCbor(value: unknown): Uint8Array {
  return encodeCborBehind(0, value, (bytes) => new Uint8Array(bytes));
}

/**
 * Decodes exactly one item; throws BAD_MESSAGE for everything that is not one. Byte strings and typed arrays may
 * share memory with `bytes`: give it bytes that nobody reuses.
 */
export function decodeCbor(bytes: Uint8Array, itemsMax: number): unknown {
  return decodeScanned(decoder, bytes, bytes.length, itemsMax);
}

// Short items are copied here before they are decoded: the decoder keeps a DataView with each array that it has
// seen, and making one costs as much as reading a short message.
const scratch = new Uint8Array(16 * 1024);

/** As {@link decodeCbor}, but nothing in the result shares memory with `bytes`. */
export function decodeCborCopy(bytes: Uint8Array, itemsMax: number): unknown {
  if (bytes.length > scratch.length) return decodeCbor(new Uint8Array(bytes), itemsMax);
  scratch.set(bytes);
  return decodeScanned(copyingDecoder, scratch, bytes.length, itemsMax);
}

function decodeScanned(
  engine: Decode,
  bytes: Uint8Array,
  length: number,
  itemsMax: number,
): unknown {
  const { mapEntries, hasLongIntegers } = scanCbor(bytes, itemsMax, length);
  let value: unknown;
  try {
    value = engine.decode(bytes, length);
  } catch (error) {
    throw new SwarmError('BAD_MESSAGE', `The bytes are not CBOR: ${String(error)}.`, {
      cause: error,
    });
  }
  if (hasLongIntegers) value = withoutBigInts(value);
  if (countEntries(value) !== mapEntries) {
    throw new SwarmError('BAD_MESSAGE', 'The bytes are not CBOR: a map has the same key twice.');
  }
  return value;
}

/** Entries of all maps. The decoder lets the last of two equal keys win, so too few mean that a key came twice. */
function countEntries(value: unknown): number {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === 'object') count += countEntries(item);
    }
    return count;
  }
  for (const key in value) {
    count += 1;
    const item = (value as Record<string, unknown>)[key];
    if (typeof item === 'object') count += countEntries(item);
  }
  return count;
}

/** Integers of eight bytes decode to BigInt. The scan has refused those that a number cannot hold exactly. */
function withoutBigInts(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  const container = value as Record<string, unknown>;
  for (const key of Object.keys(container)) container[key] = withoutBigInts(container[key]);
  return value;
}
