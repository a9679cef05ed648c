/**
 * Does encoding a payload pay? Decided from what was measured in this process: how fast it encodes, how much payloads
 * of a kind shrink, and how fast the connection carries bytes. Pure: no clock, no bytes, no library.
 *
 * The model is the time until the receiver has the plain bytes: plain, `bytes / link`; encoded, a fixed cost,
 * `bytes / encode speed`, `ratio × bytes / link` and `bytes / decode speed`, one after the other.
 */
import { COMPRESSION_MODES, SwarmError, type CompressionMode } from '@quic-swarm/protocol';

/** The mode that an option names; `auto` where it is left out. @throws BAD_OPTION */
export function compressionModeOf(given: string | undefined): CompressionMode {
  const mode = COMPRESSION_MODES.find((known) => known === (given ?? 'auto'));
  if (mode !== undefined) return mode;
  throw new SwarmError('BAD_OPTION', `"${given}" is no way to compress.`, {
    hint: `Use ${COMPRESSION_MODES.join(', ')}.`,
  });
}

/** Payloads up to so many bytes are encoded and decoded at once, where they are: below this a hop to another thread
 *  takes longer (0.4 ms) than the work (0.25 ms for texts, at most 1 ms for noise). */
export const INSTANT_BYTES_MAX: number = 64 * 1024;

/** What is known of the way to a peer. */
export interface Link {
  /** Both ends are on one machine, as far as addresses tell. */
  readonly isLocal: boolean;
  readonly roundTripMs: number;
  /** Bytes per millisecond that arrive during long writes; undefined before the first. */
  readonly bytesPerMs: number | undefined;
}

/** What to do with a payload: send it as it is, encode it, or look at a sample first. */
export type Judgement = 'plain' | 'encode' | 'sample';

/** A gain below one fifth is within what the estimates are wrong by, and costs energy. */
const GAIN_MIN = 0.8;

/** Speeds in bytes per millisecond until one was measured: level 1 of zlib on prices in 64-bit floats. */
const FIRST_ENCODE_SPEED = 60_000;
/** A slower one is that of a main thread that had no time to take note. */
const ENCODE_SPEED_MIN = FIRST_ENCODE_SPEED / 4;
/** So much of the difference is forgotten with each payload that is not encoded. */
const FORGETTING = 0.02;
/** The receiver's, which is never measured: at least four times the speed of encoding. */
const DECODE_SPEED = 250_000;

/** Milliseconds that encoding and decoding cost whatever the length: two calls, or two hops to other threads. */
const INSTANT_COST_MS = 0.05;
const LATER_COST_MS = 1;

/** What is assumed of a link of which nothing was measured: 1 Gbit/s in a local network, 100 Mbit/s beyond. */
const NEAR_ROUND_TRIP_MS = 2;
const NEAR_SPEED = 125_000;
const FAR_SPEED = 12_500;

/** On one machine a rate over this (128 Mbit/s) says how busy the processors are, not how narrow a link is: encoding
 *  would make them busier. Below it something between the two ends is slow. */
const LOCAL_SPEED_BELIEVED_MAX = 16_000;

/** What no payload beats: when even this ratio would not pay, nobody looks at the bytes. */
const RATIO_MIN = 0.05;

/** Payloads of this length are always sampled: that costs half a millisecond, being wrong costs many. */
const SAMPLED_BYTES_MIN = 1024 * 1024;

/** A kind that does not shrink is looked at again after so many of it. */
const RETRY_EVERY = 32;

/** Kinds that are remembered; the oldest is forgotten for a new one. */
const KINDS_MAX = 256;

/** Weight of the newest observation in moving averages. */
const NEWEST_WEIGHT = 0.25;

interface KindRecord {
  ratio: number;
  passed: number;
}

/** Learns from what was encoded and says what to do next. One per process: the machine is the same for all links. */
export class CompressionJudge {
  readonly #kinds = new Map<string, KindRecord>();
  #encodeSpeed = FIRST_ENCODE_SPEED;
  /** Long payloads that are being encoded, and what was done of them since the speed was measured last. */
  #encoding = 0;
  #windowBeganMs = 0;
  #windowBytes = 0;

  /** Bytes per millisecond, a moving average. */
  get encodeSpeed(): number {
    return this.#encodeSpeed;
  }

  /** Says what to do with a payload of a kind (a message type and what it is about). */
  judge(kind: string, bytes: number, link: Link): Judgement {
    if (!this.pays(bytes, RATIO_MIN, link)) return 'plain';
    const known = this.#kinds.get(kind);
    if (known === undefined || bytes >= SAMPLED_BYTES_MIN) return 'sample';
    if (this.pays(bytes, known.ratio, link)) return 'encode';
    known.passed += 1;
    // What is not encoded is not measured either: a moment when the processors were busy must not count for ever.
    this.#encodeSpeed += Math.max(0, FIRST_ENCODE_SPEED - this.#encodeSpeed) * FORGETTING;
    return known.passed % RETRY_EVERY === 0 ? 'sample' : 'plain';
  }

  /** Is a payload there sooner when it is encoded to `ratio` times its length? */
  pays(bytes: number, ratio: number, link: Link): boolean {
    const speed = speedOf(link);
    if (speed === Infinity) return false;
    const plainMs = bytes / speed;
    const fixedMs = bytes > INSTANT_BYTES_MAX ? LATER_COST_MS : INSTANT_COST_MS;
    const codingMs = fixedMs + bytes / this.#encodeSpeed + bytes / DECODE_SPEED;
    return codingMs + plainMs * ratio < plainMs * GAIN_MIN;
  }

  /** A payload of a kind, or a sample of it, was encoded to `ratio` times its length. */
  noteRatio(kind: string, ratio: number): void {
    const known = this.#kinds.get(kind);
    if (known !== undefined) {
      known.ratio += (ratio - known.ratio) * NEWEST_WEIGHT;
      return;
    }
    if (this.#kinds.size >= KINDS_MAX) {
      for (const oldest of this.#kinds.keys()) {
        this.#kinds.delete(oldest);
        break;
      }
    }
    this.#kinds.set(kind, { ratio, passed: 0 });
  }

  /** A long payload is being encoded from now on. */
  encodingBegan(nowMs: number): void {
    if (this.#encoding === 0) this.#beginWindow(nowMs);
    this.#encoding += 1;
  }

  /**
   * It was encoded. The speed is that of all payloads together that are encoded at the same time: one that waits for
   * its turn does so beside the link, which the others have to share as well.
   */
  encodingEnded(bytes: number, nowMs: number): void {
    this.#encoding -= 1;
    this.#windowBytes += bytes;
    const elapsedMs = nowMs - this.#windowBeganMs;
    if (this.#encoding > 0 && this.#windowBytes < SAMPLED_BYTES_MIN) return;
    if (elapsedMs > 0) {
      const sample = Math.max(ENCODE_SPEED_MIN, this.#windowBytes / elapsedMs);
      this.#encodeSpeed += (sample - this.#encodeSpeed) * NEWEST_WEIGHT;
    }
    this.#beginWindow(nowMs);
  }

  #beginWindow(nowMs: number): void {
    this.#windowBeganMs = nowMs;
    this.#windowBytes = 0;
  }
}

function speedOf({ isLocal, roundTripMs, bytesPerMs }: Link): number {
  if (isLocal) {
    const isSlow = bytesPerMs !== undefined && bytesPerMs < LOCAL_SPEED_BELIEVED_MAX;
    return isSlow ? bytesPerMs : Infinity;
  }
  return bytesPerMs ?? (roundTripMs < NEAR_ROUND_TRIP_MS ? NEAR_SPEED : FAR_SPEED);
}

/** A burst fills the buffers of the path faster than the link empties them: so long a write must last before it tells. */
const SETTLED_MS = 100;

/** The rate is the median of so many of the last samples, once there are enough. */
const SAMPLES_KEPT = 15;
const SAMPLES_MIN = 5;

/** A link may have changed after so long without a sample: it is measured anew. */
const RATE_TTL_MS = 60_000;

/** The rate of a link, from samples of what the peer acknowledged while more was waiting to be sent. */
export class LinkRate {
  readonly #samples: number[] = [];
  #lastMs = -Infinity;

  /** Bytes per millisecond; undefined while too little is known. */
  bytesPerMs(nowMs: number): number | undefined {
    if (this.#samples.length < SAMPLES_MIN || nowMs - this.#lastMs > RATE_TTL_MS) return undefined;
    return this.#samples.toSorted((a, b) => a - b)[this.#samples.length >> 1];
  }

  /** One sample, after so long without a pause. */
  note(bytesPerMs: number, busyForMs: number, nowMs: number): void {
    if (busyForMs < SETTLED_MS || !(bytesPerMs > 0)) return;
    if (nowMs - this.#lastMs > RATE_TTL_MS) this.#samples.length = 0;
    this.#lastMs = nowMs;
    this.#samples.push(bytesPerMs);
    if (this.#samples.length > SAMPLES_KEPT) this.#samples.shift();
  }
}
