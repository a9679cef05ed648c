/**
 * Hostile frames by the thousand, from a seed: vectors that were damaged, random CBOR, random bytes. What must hold for
 * each: a message comes out, or a SwarmError, and nothing else happens.
 */
import {
  MESSAGES,
  MessageReader,
  decodeDocument,
  decodeTable,
  encodeFrame,
  isSwarmError,
  type Message,
} from '../../src/index.ts';
import { makeVectors } from '../make-vectors.ts';
import { bytesToHex, hexToBytes } from './tiny-cbor.ts';

const FRAME_BYTES_MAX = 256 * 1024;
const SLOW_MS = 100;
const HEAD_BYTES = 5;
/** Heads of CBOR items and other bytes with a meaning. */
const INTERESTING = hexToBytes(
  '00171818191a1b2038391a3b4041585a5b5f6061787a7b7f808182989a9b9fa0a1b8babbbfc0c1c2c3c6d8d9dbdcdfe0f4f5f6f7f8f9fafbfcff4045565b',
);
const NUMBERS = Object.values(MESSAGES).map(({ number }) => number);

/** What happened to the frames. */
export interface FuzzCounts {
  accepted: number;
  /** By type of the error. */
  readonly refused: Map<string, number>;
}

/** Feeds `frames` hostile frames to the readers; throws, with the seed and the bytes, when one has done harm. */
export function fuzzProtocol(frames: number, seed: number): FuzzCounts {
  const random = randomSource(seed);
  const corpus = corpusOf();
  const prototypes = snapshotOfPrototypes();
  const counts: FuzzCounts = { accepted: 0, refused: new Map() };
  for (let i = 0; i < frames; i++) {
    const bytes = hostileFrame(random, corpus);
    const startedMs = performance.now();
    try {
      consume(bytes, random, counts);
      // A pause of the machine is no fault of the frame: only one that is slow each time counts.
      if (performance.now() - startedMs > SLOW_MS && fastestOf(5, bytes) > SLOW_MS) {
        throw new Error(`A frame of ${bytes.length} bytes takes over ${SLOW_MS} ms.`);
      }
      if (i % 1000 === 0 || i === frames - 1) checkPrototypes(prototypes);
    } catch (error) {
      const hex = bytesToHex(bytes.subarray(0, 2000));
      throw new Error(`SEED=${seed}, frame ${i}: ${String(error)}\n${hex}`, { cause: error });
    }
  }
  return counts;
}

function consume(bytes: Uint8Array, random: Random, counts: FuzzCounts): void {
  const note = (error: unknown): void => {
    if (!isSwarmError(error)) throw error;
    counts.refused.set(error.type, (counts.refused.get(error.type) ?? 0) + 1);
  };
  const reader = new MessageReader({
    onMessage: (message) => {
      counts.accepted += 1;
      checkAccepted(message);
    },
  });
  const cut = random.below(2) === 0 ? bytes.length : random.below(bytes.length + 1);
  try {
    reader.push(bytes.subarray(0, cut));
    reader.push(bytes.subarray(cut));
    reader.end();
  } catch (error) {
    note(error);
  }
  const body = bytes.slice(HEAD_BYTES);
  for (const decode of [decodeDocument, decodeTable]) {
    try {
      decode(body);
    } catch (error) {
      note(error);
    }
  }
}

/** An accepted message is plain, and what we would send of it is accepted again as the same. */
function checkAccepted(message: Message): void {
  if (Object.getPrototypeOf(message.body) !== Object.prototype) throw new Error('a strange body');
  const again: Message[] = [];
  const frame = encodeFrame(message);
  const reader = new MessageReader({ onMessage: (repeated) => again.push(repeated) });
  reader.push(frame);
  const [repeated] = again;
  if (repeated === undefined) {
    // It announces a payload, or is a part of one.
    if (message.type !== 'PayloadChunk' && !('payloadBytes' in message.body)) {
      throw new Error(`${message.type} was accepted once only`);
    }
    return;
  }
  if (bytesToHex(encodeFrame(repeated)) !== bytesToHex(frame)) {
    throw new Error(`${message.type} changes with each decoding`);
  }
}

function fastestOf(times: number, bytes: Uint8Array): number {
  let fastest = Infinity;
  for (let i = 0; i < times; i++) {
    const startedMs = performance.now();
    consume(bytes, randomSource(1), { accepted: 0, refused: new Map() });
    fastest = Math.min(fastest, performance.now() - startedMs);
  }
  return fastest;
}

function hostileFrame(random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  const kind = random.below(100);
  if (kind < 55) return damaged(random, corpus);
  if (kind < 90) return framed(random, randomCbor(random, random.below(200)));
  if (kind < 98) return framed(random, randomBytes(random, random.below(120)));
  if (kind < 99) return framed(random, largeCbor(random));
  return randomBytes(random, random.below(64));
}

function damaged(random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  let bytes = new Uint8Array(random.from(corpus));
  const times = random.from([1, 1, 1, 2, 4]);
  for (let i = 0; i < times; i++) bytes = damagedOnce(random, bytes, corpus);
  if (bytes.length >= HEAD_BYTES && random.below(10) > 0) {
    new DataView(bytes.buffer).setUint32(0, bytes.length - 4);
  }
  return bytes;
}

function damagedOnce(
  random: Random,
  bytes: Uint8Array,
  corpus: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const changed = new Uint8Array(bytes);
  // Damage to the length and the number is found at once, so most of it falls behind them.
  const from = random.below(8) === 0 ? 0 : Math.min(HEAD_BYTES, bytes.length);
  const at = Math.min(bytes.length - 1, from + random.below(bytes.length - from));
  switch (random.below(12)) {
    case 0:
    case 7:
    case 8:
    case 9:
    case 10:
      changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
      return changed;
    case 1:
      changed[at] = random.from(INTERESTING);
      return changed;
    case 2:
      changed[at] = random.below(256);
      return changed;
    case 3:
      return joined([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(8))]);
    case 4:
      return joined([bytes.subarray(0, at), randomCbor(random, 6), bytes.subarray(at)]);
    case 5: {
      const other = random.from(corpus);
      return joined([bytes.subarray(0, at), other.subarray(random.below(other.length))]);
    }
    default:
      return joined([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - random.below(30)))]);
  }
}

/** A well-formed or nearly well-formed item of about so many bytes. */
function randomCbor(random: Random, budget: number): Uint8Array {
  const out: number[] = [];
  const item = (depth: number): void => {
    const major = random.below(9);
    if (out.length > budget || depth > 40 || major < 2) {
      head(major === 1 ? 1 : 0, random.below(2) === 0 ? random.below(30) : random.below(2 ** 32));
    } else if (major === 2 || major === 3) {
      const length = random.below(24);
      head(major, length);
      for (let i = 0; i < length; i++) out.push(97 + random.below(26));
    } else if (major === 4 || major === 5) {
      const count = random.below(6);
      head(major, count);
      for (let i = 0; i < count; i++) {
        if (major === 5) key();
        item(depth + 1);
      }
    } else if (major === 6) {
      head(6, random.below(4) === 0 ? random.below(2 ** 16) : 60 + random.below(30));
      head(2, 8);
      for (let i = 0; i < 8; i++) out.push(random.below(256));
    } else {
      out.push(random.from(INTERESTING));
    }
  };
  const key = (): void => {
    const name = random.from(['a', 'b', '__proto__', 'constructor', 'sequence', 'payload', '']);
    head(3, name.length);
    for (const character of name) out.push(character.charCodeAt(0));
  };
  const head = (major: number, argument: number): void => {
    if (argument < 24) out.push((major << 5) | argument);
    else if (argument < 256) out.push((major << 5) | 24, argument);
    else out.push((major << 5) | 26, ...new Uint8Array(Uint32Array.of(argument).buffer).reverse());
  };
  item(0);
  return Uint8Array.from(out);
}

/** One pattern over and over, up to 256 KiB, behind a head that makes a list of it. */
function largeCbor(random: Random): Uint8Array {
  const bytes = new Uint8Array(1 + random.below(FRAME_BYTES_MAX - 16));
  const piece = random.below(2) === 0 ? randomCbor(random, 8) : randomBytes(random, 4);
  for (let at = 0; at < bytes.length; at += Math.max(piece.length, 1)) {
    bytes.set(piece.subarray(0, bytes.length - at), at);
  }
  const heads = ['9a0000ffff', 'ba00007fff', 'c25a0003fff0', '5a00030000', '7a00030000', '', '81'];
  const head = hexToBytes(random.from(heads));
  return joined([head, bytes]);
}

function framed(random: Random, body: Uint8Array): Uint8Array {
  const frame = joined([new Uint8Array(HEAD_BYTES), body]);
  new DataView(frame.buffer).setUint32(0, body.length + 1);
  frame[4] = random.below(20) === 0 ? random.below(256) : random.from(NUMBERS);
  return frame;
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () =>
    random.below(2) === 0 ? random.below(256) : random.from(INTERESTING),
  );
}

function corpusOf(): Uint8Array[] {
  const { messages, streams, documents, tables, refused } = makeVectors();
  const frames = [...messages, ...streams, ...refused].map(({ hex }) => hexToBytes(hex));
  const random = randomSource(0);
  return [
    ...frames,
    ...[...documents, ...tables].map(({ hex }) => framed(random, hexToBytes(hex))),
  ];
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function snapshotOfPrototypes(): string {
  const prototypes = [
    Object,
    Array,
    String,
    Number,
    Uint8Array,
    Float64Array,
    Map,
    Error,
    Function,
  ];
  return prototypes
    .map(({ name, prototype }) => `${name}: ${Reflect.ownKeys(prototype).map(String).join()}`)
    .join('\n');
}

function checkPrototypes(before: string): void {
  if (snapshotOfPrototypes() !== before) throw new Error('A prototype was changed.');
  const probe: Record<string, unknown> = {};
  for (const name of ['a', 'b', 'sequence', 'payload']) {
    if (name in probe) throw new Error(`Every object has ${name} now.`);
  }
}

interface Random {
  /** A whole number from 0 to `bound` − 1; 0 when the bound is 0. */
  below(bound: number): number;
  from<T>(items: ArrayLike<T>): T;
}

/** Mulberry32. */
function randomSource(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    below: (bound) => Math.floor(next() * bound),
    from: (items) => items[Math.floor(next() * items.length)] as (typeof items)[number],
  };
}
