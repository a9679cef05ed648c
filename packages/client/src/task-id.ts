/** Names of tasks. */
import { randomFillSync } from 'node:crypto';

/** Random bytes are drawn for so many ids at once: a call of the generator costs more than all the rest. */
const POOL_IDS = 256;
const RANDOM_BYTES = 10;

const DIGITS = Buffer.from('0123456789abcdef', 'latin1');
/** Where the digits of the time stand, and those behind them. */
const TIME_PLACES = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12] as const;
const OTHER_PLACES = [
  14, 15, 16, 17, 19, 20, 21, 22, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35,
] as const;

const pool = new Uint8Array(POOL_IDS * RANDOM_BYTES);
let poolUsed = pool.length;
/** The characters of the id made last; the digits of the time are written only when it has changed. */
const characters = Buffer.alloc(36, '-', 'latin1');
let timeMs = -1;

/**
 * A new task id: a UUIDv7 (RFC 9562 §5.7), whose first 48 bits are the time in milliseconds, so that ids sort by age.
 * The rest is random; two ids of the same millisecond have no order.
 */
export function newTaskId(nowMs: number = Date.now()): string {
  if (nowMs !== timeMs) writeTime(nowMs);
  if (poolUsed === pool.length) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  // The version is 7; the variant is 0b10, in front of two random bits.
  pool[poolUsed] = 0x70 | ((pool[poolUsed] as number) & 0x0f);
  pool[poolUsed + 2] = 0x80 | ((pool[poolUsed + 2] as number) & 0x3f);
  for (let i = 0; i < OTHER_PLACES.length; i += 2) {
    const byte = pool[poolUsed] as number;
    poolUsed += 1;
    characters[OTHER_PLACES[i] as number] = DIGITS[byte >>> 4] as number;
    characters[OTHER_PLACES[i + 1] as number] = DIGITS[byte & 0xf] as number;
  }
  return characters.toString('latin1');
}

function writeTime(nowMs: number): void {
  timeMs = nowMs;
  let rest = Math.floor(nowMs);
  for (const place of TIME_PLACES.toReversed()) {
    characters[place] = DIGITS[rest % 16] as number;
    rest = Math.floor(rest / 16);
  }
}
