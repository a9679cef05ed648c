/** Whether encoding pays, and that what is encoded comes back as it was, or not at all. */
import { deflateRawSync } from 'node:zlib';
import { isSwarmError } from '@quic-swarm/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  deflateLater,
  deflateNow,
  inflateLater,
  inflateNow,
  Inflation,
  sampledRatio,
} from '../src/compression/deflate.ts';
import {
  CompressionJudge,
  compressionModeOf,
  LinkRate,
  type Link,
} from '../src/compression/judge.ts';

const MEBIBYTE = 1024 * 1024;
/** 100 Mbit/s and 1 Gbit/s in bytes per millisecond. */
const SLOW = 12_500;
const FAST = 125_000;

const measured = (bytesPerMs: number, isLocal = false): Link => ({
  isLocal,
  roundTripMs: 10,
  bytesPerMs,
});

describe('the judge', () => {
  test('encodes what shrinks on a slow link, and nothing on a fast one', () => {
    const judge = new CompressionJudge();
    expect(judge.pays(4 * MEBIBYTE, 0.3, measured(SLOW))).toBe(true);
    expect(judge.pays(4 * MEBIBYTE, 0.95, measured(SLOW))).toBe(false);
    expect(judge.pays(4 * MEBIBYTE, 0.3, measured(FAST))).toBe(false);
  });

  test('leaves short payloads alone even on a slow link: calls cost more than they save', () => {
    const judge = new CompressionJudge();
    expect(judge.judge('k', 1100, measured(SLOW))).toBe('plain');
    expect(judge.judge('k', 16 * 1024, measured(1000))).not.toBe('plain');
  });

  test('does nothing on one machine until the way between proves to be slow', () => {
    const judge = new CompressionJudge();
    const unknown = { isLocal: true, roundTripMs: 0, bytesPerMs: undefined };
    for (const link of [unknown, measured(FAST, true), measured(40_000, true)]) {
      for (const bytes of [2000, MEBIBYTE, 256 * MEBIBYTE]) {
        expect(judge.judge('k', bytes, link)).toBe('plain');
      }
    }
    expect(judge.judge('k', MEBIBYTE, measured(SLOW, true))).toBe('sample');
  });

  test('takes a link of which it knows only the round trip for a local network or a slow one', () => {
    const judge = new CompressionJudge();
    const near = { isLocal: false, roundTripMs: 0.5, bytesPerMs: undefined };
    expect(judge.judge('k', MEBIBYTE, near)).toBe('plain');
    expect(judge.judge('k', MEBIBYTE, { ...near, roundTripMs: 20 })).toBe('sample');
  });

  test('stops trying a kind that does not shrink, and looks again now and then', () => {
    const judge = new CompressionJudge();
    const bytes = 200_000;
    expect(judge.judge('noise', bytes, measured(SLOW))).toBe('sample');
    judge.noteRatio('noise', 1);
    const judgements = Array.from({ length: 64 }, () =>
      judge.judge('noise', bytes, measured(SLOW)),
    );
    expect(judgements.filter((judgement) => judgement === 'sample')).toHaveLength(2);
    expect(judgements.filter((judgement) => judgement === 'encode')).toHaveLength(0);
    // What shrinks is another kind, and is encoded without a sample once it is known.
    judge.noteRatio('prices', 0.3);
    expect(judge.judge('prices', bytes, measured(SLOW))).toBe('encode');
    // The kind has changed: a few good ratios, and it is encoded.
    for (let i = 0; i < 12; i += 1) judge.noteRatio('noise', 0.2);
    expect(judge.judge('noise', bytes, measured(SLOW))).toBe('encode');
  });

  test('learns how fast this machine encodes, and forgets it when it does not', () => {
    const judge = new CompressionJudge();
    const first = judge.encodeSpeed;
    for (let i = 0; i < 40; i += 1) {
      judge.encodingBegan(i * 1000);
      judge.encodingEnded(MEBIBYTE, i * 1000 + 50);
    }
    expect(judge.encodeSpeed).toBeCloseTo(MEBIBYTE / 50, -2);
    judge.noteRatio('prices', 0.5);
    const bytes = MEBIBYTE / 2;
    expect(judge.judge('prices', bytes, measured(SLOW))).toBe('plain');
    for (let i = 0; i < 200; i += 1) judge.judge('prices', bytes, measured(SLOW));
    expect(judge.encodeSpeed).toBeGreaterThan(first * 0.7);
    expect(judge.judge('prices', bytes, measured(SLOW))).toBe('encode');
  });

  test('takes payloads that are encoded at the same time together', () => {
    const judge = new CompressionJudge();
    // Forty at once, one done every 10 ms: 100 MiB/s, though the last one took 400 ms.
    for (let i = 0; i < 40; i += 1) judge.encodingBegan(0);
    for (let i = 1; i <= 40; i += 1) judge.encodingEnded(MEBIBYTE, i * 10);
    expect(judge.encodeSpeed).toBeCloseTo(MEBIBYTE / 10, -2);
    // A clock that stands still says nothing, and a pause is not counted.
    judge.encodingBegan(400);
    judge.encodingEnded(MEBIBYTE, 400);
    judge.encodingBegan(90_000);
    judge.encodingEnded(MEBIBYTE, 90_010);
    expect(judge.encodeSpeed).toBeCloseTo(MEBIBYTE / 10, -2);
  });

  test('never gives up what it would have done on a faster link or for a worse ratio', () => {
    const judge = new CompressionJudge();
    const bytes = fc.integer({ min: 1024, max: 2 ** 28 });
    const ratio = fc.double({ min: 0, max: 1, noNaN: true });
    const rate = fc.double({ min: 1, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(bytes, ratio, rate, fc.double({ min: 0, max: 1, noNaN: true }), (n, r, s, f) => {
        if (!judge.pays(n, r, measured(s))) return;
        expect(judge.pays(n, r * f, measured(s))).toBe(true);
        expect(judge.pays(n, r, measured(Math.max(s * f, 1e-6)))).toBe(true);
        // It pays only where the saved time on the link alone is more than a fifth.
        expect(r).toBeLessThan(0.8);
      }),
    );
  });

  test('remembers a bounded number of kinds', () => {
    const judge = new CompressionJudge();
    judge.noteRatio('first', 0.1);
    for (let i = 0; i < 300; i += 1) judge.noteRatio(`kind ${i}`, 0.1);
    expect(judge.judge('first', 200_000, measured(SLOW))).toBe('sample');
    expect(judge.judge('kind 299', 200_000, measured(SLOW))).toBe('encode');
  });
});

describe('the rate of a link', () => {
  test('is the median of what arrived after the first burst, and is forgotten after a minute', () => {
    const rate = new LinkRate();
    for (const burst of [80_000, 90_000, 70_000]) rate.note(burst, 50, 0);
    expect(rate.bytesPerMs(0)).toBeUndefined();
    for (const [i, sample] of [12_000, 13_000, 12_500, 60_000].entries()) {
      rate.note(sample, 120 + i, i);
    }
    expect(rate.bytesPerMs(4)).toBeUndefined();
    rate.note(12_400, 200, 5);
    expect(rate.bytesPerMs(5)).toBe(12_500);
    rate.note(0, 300, 6);
    rate.note(Number.NaN, 300, 6);
    expect(rate.bytesPerMs(6)).toBe(12_500);
    expect(rate.bytesPerMs(60_006)).toBeUndefined();
    rate.note(1000, 300, 60_006);
    expect(rate.bytesPerMs(60_006)).toBeUndefined();
  });
});

test('an unknown mode is a BAD_OPTION that names the known ones', () => {
  expect(compressionModeOf(undefined)).toBe('auto');
  expect(compressionModeOf('never')).toBe('never');
  expect(() => compressionModeOf('sometimes')).toThrow(
    expect.objectContaining({ type: 'BAD_OPTION', hint: 'Use auto, always, never.' }) as Error,
  );
});

/** Repeats itself, so that it shrinks. */
function textOf(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (i * i) % 97);
}

async function refusal(decoding: () => unknown): Promise<string> {
  try {
    await decoding();
  } catch (error) {
    return isSwarmError(error) ? error.type : String(error);
  }
  return 'nothing';
}

describe('raw DEFLATE', () => {
  test('gives back every payload, whichever way it goes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 5000 }), async (bytes) => {
        const encoded = deflateNow(bytes);
        expect(await deflateLater(bytes)).toStrictEqual(encoded);
        expect(Buffer.compare(inflateNow(encoded, bytes.length), bytes)).toBe(0);
        expect(Buffer.compare(await inflateLater(encoded, bytes.length), bytes)).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  test.each([MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 5 * MEBIBYTE + 7])(
    'makes one stream of the blocks of %i bytes',
    async (length) => {
      const bytes = textOf(length);
      const encoded = await deflateLater(bytes);
      expect(encoded.length).toBeLessThan(length / 2);
      expect(Buffer.compare(await inflateLater(encoded, length), bytes)).toBe(0);
      expect(Buffer.compare(inflateNow(encoded, length), bytes)).toBe(0);
    },
  );

  test('encodes a payload once that several want at the same time', async () => {
    const bytes = textOf(2 * MEBIBYTE);
    const first = deflateLater(bytes);
    expect(deflateLater(bytes)).toBe(first);
    await first;
    expect(deflateLater(bytes)).not.toBe(first);
  });

  const plain = textOf(100_000);
  const encoded = deflateRawSync(plain);
  const bomb = deflateRawSync(new Uint8Array(64 * MEBIBYTE));
  const lies: [string, Uint8Array, number][] = [
    ['a bomb', bomb, 1000],
    ['a claim of one byte too few', encoded, plain.length - 1],
    ['a claim of one byte too many', encoded, plain.length + 1],
    ['the end is missing', encoded.subarray(0, -1), plain.length],
    ['no stream at all', textOf(500), 5000],
    ['nothing', new Uint8Array(0), 1],
    ['bytes behind the end', Buffer.concat([encoded, Buffer.from([0])]), plain.length],
    ['the same twice', Buffer.concat([encoded, encoded]), 2 * plain.length],
  ];
  test.each(lies)('refuses %s', async (_what, bytes, decodedBytes) => {
    expect(await refusal(() => inflateNow(bytes, decodedBytes))).toBe('BAD_ENCODING');
    expect(await refusal(async () => inflateLater(bytes, decodedBytes))).toBe('BAD_ENCODING');
  });

  test('hands on no more of a bomb than was claimed', async () => {
    let handedOn = 0;
    const inflation = new Inflation(500_000, (piece) => {
      handedOn += piece.length;
    });
    inflation.push(bomb);
    expect(await refusal(async () => inflation.end())).toBe('BAD_ENCODING');
    expect(handedOn).toBeLessThanOrEqual(500_000);
  });

  test('ends in an error or in the bytes, whatever was damaged', async () => {
    const at = fc.integer({ min: 0, max: encoded.length - 1 });
    await fc.assert(
      fc.asyncProperty(at, fc.integer({ min: 1, max: 255 }), async (index, change) => {
        const damaged = Uint8Array.from(encoded);
        damaged[index] = (damaged[index] ?? 0) ^ change;
        const now = await refusal(() => inflateNow(damaged, plain.length));
        expect(['BAD_ENCODING', 'nothing']).toContain(now);
        expect(await refusal(async () => inflateLater(damaged, plain.length))).toBe(now);
      }),
      { numRuns: 100 },
    );
  });

  test('decodes what comes in pieces, in step with whoever sends them', async () => {
    const pieces: Uint8Array[] = [];
    const inflation = new Inflation(plain.length, (piece) => pieces.push(piece.slice()));
    for (let offset = 0; offset < encoded.length; offset += 100) {
      if (!inflation.push(encoded.subarray(offset, offset + 100))) await inflation.ready();
    }
    await inflation.end();
    expect(Buffer.compare(Buffer.concat(pieces), plain)).toBe(0);
  });

  test('stops when it is told to, and leaves nobody waiting', async () => {
    const inflation = new Inflation(64 * MEBIBYTE, () => {});
    inflation.push(bomb);
    inflation.stop();
    await inflation.ready();
    expect(inflation.push(bomb)).toBe(true);
    expect(await refusal(async () => inflation.end())).toBe('CLOSED_LOCALLY');
  });

  test('judges by samples from the beginning and the middle', () => {
    const half = new Uint8Array(200_000);
    expect(sampledRatio(half)).toBeLessThan(0.02);
    const noise = crypto.getRandomValues(new Uint8Array(60_000));
    expect(sampledRatio(noise)).toBeGreaterThan(0.99);
    half.set(noise, 90_000);
    expect(sampledRatio(half)).toBeGreaterThan(0.4);
    expect(sampledRatio(new Uint8Array(0))).toBe(0);
  });
});
