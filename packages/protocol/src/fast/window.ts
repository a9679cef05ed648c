/**
 * The bytes that a fast decoder reads: each body is copied into one fixed array first. A copy of 200 bytes costs 20 ns
 * and pays three times: the array and its DataView never change, so that the engine compiles their addresses into
 * the decoders; there are always bytes behind the end of a body, so that four of them can be looked at in one go; and
 * nothing that was decoded shares memory with what a peer sent.
 */

/** Longest body that is read here; longer ones spend their time on other things than the codec. */
export const WINDOW_BYTES = 16 * 1024;

/** A decoder may look so far behind the end of a body before it finds out. */
const SLACK_BYTES = 256;

/** The bytes, at positions 0 to WINDOW_BYTES. Behind the end of a body lies what earlier bodies left there. */
export const windowBytes = new Uint8Array(WINDOW_BYTES + SLACK_BYTES);

/** The same bytes as numbers. */
export const windowView = new DataView(windowBytes.buffer);

/** Where a reader of something with a length stopped. It is only set by readers that have read something. */
export const cursor = { position: 0 };

let source: Uint8Array | undefined;
let sourceStart = 0;
let sourceEnd = 0;

/** Forgets which bytes lie in the window. */
export function closeWindow(): void {
  source = undefined;
}

/**
 * Where `bytes` from `start` to `end`, at most WINDOW_BYTES, lie in the window; copies them, and as many behind them as
 * there is place for, unless they lie there already.
 */
export function positionInWindow(bytes: Uint8Array, start: number, end: number): number {
  if (bytes === source && start >= sourceStart && end <= sourceEnd) return start - sourceStart;
  source = bytes;
  sourceStart = start;
  sourceEnd = Math.min(bytes.length, start + WINDOW_BYTES);
  const isWhole = start === 0 && sourceEnd === bytes.length;
  windowBytes.set(isWhole ? bytes : bytes.subarray(start, sourceEnd));
  return 0;
}

/** Bytes of an integer or a 64-bit float by the low five bits of its head; of anything else they mean nothing. */
export const NUMBER_BYTES: Uint8Array = Uint8Array.from({ length: 32 }, (_, information) =>
  information < 24 ? 1 : 1 + 2 ** Math.min(information - 24, 3),
);

/** The number at `position`; NaN for what is no number, and for the rare forms that the general path reads. */
export function readNumber(position: number): number {
  const head = windowBytes[position] as number;
  if (head < 0x18) return head;
  switch (head) {
    case 0x18:
      return windowBytes[position + 1] as number;
    case 0x19:
      return windowView.getUint16(position + 1);
    case 0x1a:
      return windowView.getUint32(position + 1);
    case 0x1b: {
      const high = windowView.getUint32(position + 1);
      // Above 2^53 − 1 the general path says what is wrong.
      return high > 0x1f_ffff ? Number.NaN : high * 2 ** 32 + windowView.getUint32(position + 5);
    }
    case 0x38:
      return -1 - (windowBytes[position + 1] as number);
    case 0x39:
      return -1 - windowView.getUint16(position + 1);
    case 0x3a:
      return -1 - windowView.getUint32(position + 1);
    case 0xfb:
      return windowView.getFloat64(position + 1);
    default:
      return head >= 0x20 && head < 0x38 ? 0x1f - head : Number.NaN;
  }
}

/** A copy of the byte string at `position`; undefined when none lies there or it goes on behind `end`. */
export function readBytes(position: number, end: number): Uint8Array | undefined {
  let length = (windowBytes[position] as number) - 0x40;
  let start = position + 1;
  if (length === 0x18) {
    length = windowBytes[start] as number;
    start += 1;
  } else if (length === 0x19) {
    length = windowView.getUint16(start);
    start += 2;
  } else if (length < 0 || length > 0x17) {
    return undefined;
  }
  const stop = start + length;
  if (stop > end) return undefined;
  cursor.position = stop;
  if (length > 32) return windowBytes.slice(start, stop);
  // The call of `slice` costs more than this loop.
  const copy = new Uint8Array(length);
  for (let i = 0; i < length; i++) copy[i] = windowBytes[start + i] as number;
  return copy;
}

/** Characters of an ASCII text, as many as it says; the number of bytes in front of them is 1 or 2. −1 for others. */
export function textLengthAt(position: number, end: number): number {
  let length = (windowBytes[position] as number) - 0x60;
  let start = position + 1;
  if (length === 0x18) {
    length = windowBytes[start] as number;
    // A short text with a long head is left to the general path, so that a length tells the bytes of its head.
    if (length < 0x18) return -1;
    start += 1;
  } else if (length > 0x18) {
    // Heads with two bytes and more of length, and other kinds of items.
    return -1;
  }
  return length < 0 || start + length > end ? -1 : length;
}

// One list for each length: changing the length of a list costs more than filling it.
const characterLists: readonly number[][] = Array.from({ length: 256 }, (_, length) =>
  Array.from({ length }, () => 0),
);

/** The text of so many ASCII characters, up to 255; undefined when one of them is none. */
export function readAscii(start: number, length: number): string | undefined {
  const characters = characterLists[length] as number[];
  let seen = 0;
  for (let i = 0; i < length; i++) {
    const character = windowBytes[start + i] as number;
    seen |= character;
    characters[i] = character;
  }
  return seen < 0x80 ? String.fromCharCode.apply(undefined, characters) : undefined;
}
