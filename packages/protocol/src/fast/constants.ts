/** CBOR texts that are known beforehand, keys and words, as lines of generated code that compares or writes them. */

/** A CBOR text and its bytes. */
export interface ConstantText {
  readonly text: string;
  readonly bytes: readonly number[];
}

/** Longer texts could be looked for behind the slack of the window. */
const LENGTH_MAX = 64;

/** Undefined for texts that are not ASCII or too long. */
export function constantTextOf(text: string): ConstantText | undefined {
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  if (codes.length > LENGTH_MAX || codes.some((code) => code > 0x7f)) return undefined;
  const head = codes.length < 24 ? [0x60 + codes.length] : [0x78, codes.length];
  return { text, bytes: [...head, ...codes] };
}

/** A condition: the bytes lie at `p`. Four at a time; the last four may overlap with those before. */
export function matching({ bytes }: ConstantText): string {
  return groupsOf(bytes)
    .map(({ offset, group }) =>
      group.length === 4
        ? `view.getUint32(p + ${offset}) === ${unsigned(group)}`
        : `bytes[p + ${offset}] === ${group[0]}`,
    )
    .join(' && ');
}

/** Statements: the bytes are written at `p`, and `p` moves behind them. */
export function writing({ bytes }: ConstantText): string {
  const writes = groupsOf(bytes).map(({ offset, group }) =>
    group.length === 4
      ? `view.setUint32(p + ${offset}, ${unsigned(group)});`
      : `bytes[p + ${offset}] = ${group[0]};`,
  );
  return `${writes.join(' ')} p += ${bytes.length};`;
}

function groupsOf(bytes: readonly number[]): { offset: number; group: readonly number[] }[] {
  if (bytes.length < 4) return bytes.map((byte, offset) => ({ offset, group: [byte] }));
  const offsets = Array.from({ length: Math.ceil(bytes.length / 4) }, (_, index) =>
    Math.min(index * 4, bytes.length - 4),
  );
  return offsets.map((offset) => ({ offset, group: bytes.slice(offset, offset + 4) }));
}

function unsigned(group: readonly number[]): number {
  return group.reduce((value, byte) => value * 256 + byte, 0);
}
