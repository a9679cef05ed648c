/** Which texts are cached, and how they are checked when they are new. */
import { TASK_ID_PATTERN } from '../ids.ts';
import type { Shape } from './shape.ts';
import { TextCache, type MakeText } from './text-cache.ts';
import { readAscii, windowBytes } from './window.ts';

type TextShape = Shape & { readonly kind: 'text' };

// Names in the widest sense come again and again; free texts do not.
const NAME_LENGTH_MAX = 128;
const NAME_BYTES_KEPT = 72;
const NAME_PLACES_LOG2 = 8;
/** More than tasks that are under way at once. Kept 36 bytes apart, these take 150 KB. */
const TASK_ID_PLACES_LOG2 = 12;

const TASK_ID_LENGTH = 36;
const DIGIT = 1;
const HYPHEN = 2;
/** What each byte is in a task id: a hexadecimal digit in lower case, a hyphen, or 0 for what it may not hold. */
const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x2d) return HYPHEN;
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66) ? DIGIT : 0;
});
/** What must stand at each place of a task id: TASK_ID_PATTERN, which alone takes 250 ns. */
const TASK_ID_KINDS = Uint8Array.from({ length: TASK_ID_LENGTH }, (_, index) =>
  [8, 13, 18, 23].includes(index) ? HYPHEN : DIGIT,
);

const caches = new Map<string, TextCache>();

/** The cache for texts of this shape, shared by all fields that have it; undefined when they are not cached. */
export function cacheOf(shape: TextShape): TextCache | undefined {
  const { pattern, lengthMin, lengthMax } = shape;
  if (pattern === undefined && lengthMax > NAME_LENGTH_MAX) return undefined;
  const id = `${pattern?.source} ${lengthMin} ${lengthMax}`;
  let cache = caches.get(id);
  if (cache === undefined) {
    cache =
      pattern?.source === TASK_ID_PATTERN.source
        ? new TextCache(makeTaskId, TASK_ID_PLACES_LOG2, TASK_ID_LENGTH)
        : new TextCache(makerOf(shape), NAME_PLACES_LOG2, NAME_BYTES_KEPT);
    caches.set(id, cache);
  }
  return cache;
}

function makerOf({ pattern, lengthMin, lengthMax }: TextShape): MakeText {
  return (start, length) => {
    // Of ASCII a character is a byte.
    if (length < lengthMin || length > lengthMax) return undefined;
    const text = readAscii(start, length);
    return text === undefined || pattern?.test(text) === false ? undefined : text;
  };
}

function makeTaskId(start: number, length: number): string | undefined {
  if (length !== TASK_ID_LENGTH) return undefined;
  let wrong = 0;
  for (let i = 0; i < TASK_ID_LENGTH; i++) {
    wrong |= (KINDS[windowBytes[start + i] as number] as number) ^ (TASK_ID_KINDS[i] as number);
  }
  return wrong === 0 ? readAscii(start, length) : undefined;
}
