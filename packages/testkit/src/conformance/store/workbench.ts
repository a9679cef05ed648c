/** Where a store is tested: a place that outlives it, which can lose its power and be damaged. */
import type { JournalEntry, Store, StoreNotice } from '@quic-swarm/store';

/** A place for one store. */
export interface StoreWorkbench extends AsyncDisposable {
  /** Opens the store: an empty one at first, later what is there. */
  open(onNotice?: (notice: StoreNotice) => void): Promise<Store>;
  /** The process dies with the store open. What was not durable may be gone at the next opening. */
  crash(): Promise<void>;
  /** What lies there while the store is closed: values by the bytes of their keys, one character each. */
  contents(): Promise<Map<string, Buffer>>;
  /** Puts other things there while the store is closed. */
  replace(contents: ReadonlyMap<string, Buffer>): Promise<void>;
}

/** Gives the workbench of the running test. */
export type WorkbenchSource = () => StoreWorkbench;

/** The bytes of a text. */
export function bytes(text: string): Buffer {
  return Buffer.from(text);
}

/** The entries of a tail as `sequence epoch payload`. */
export async function linesOf(entries: AsyncIterable<JournalEntry>): Promise<string[]> {
  const lines: string[] = [];
  for await (const { sequence, epoch, payload } of entries) {
    lines.push(`${sequence} ${epoch} ${Buffer.from(payload).toString()}`);
  }
  return lines;
}

/** The payloads of a tail as texts. */
export async function textsOf(entries: AsyncIterable<JournalEntry>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { payload } of entries) texts.push(Buffer.from(payload).toString());
  return texts;
}

/** Texts `prefix-1` to `prefix-count` as bytes. */
export function numbered(prefix: string, count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => bytes(`${prefix}-${index + 1}`));
}

/** The value as text; undefined where there is none. */
export async function textOf(value: Promise<Uint8Array | undefined>): Promise<string | undefined> {
  const found = await value;
  return found === undefined ? undefined : Buffer.from(found).toString();
}

/** The latest snapshot as `sequence` and the texts of its pieces. */
export async function snapshotOf(
  store: Store,
): Promise<{ sequence: number; pieces: string[] } | undefined> {
  const snapshot = await store.latestSnapshot();
  if (snapshot === undefined) return undefined;
  const pieces: string[] = [];
  for await (const piece of snapshot.pieces) pieces.push(Buffer.from(piece).toString());
  return { sequence: snapshot.sequence, pieces };
}
