/**
 * What was learnt, on disk: one snapshot in a store of its own, which the next one replaces as a whole. What was learnt in
 * the seconds before a crash is lost: it is learnt again, and tasks do not depend on it.
 */
import { decodeDocument, encodeDocument } from '@quic-swarm/protocol';
import type { ReasoningBankSnapshot } from '@quic-swarm/reasoning';
import { openLevelStore, type Store } from '@quic-swarm/store';

/** Raw experiences in one piece: some milliseconds to encode, and far from the bounds of a document. */
const EXPERIENCES_PER_PIECE = 250;

type RingEntry = ReasoningBankSnapshot['experiences']['ring'][number];

/** See the head of this file. */
export class ReasoningFolder {
  readonly #store: Store;
  readonly #epoch: number;

  private constructor(store: Store, epoch: number) {
    this.#store = store;
    this.#epoch = epoch;
  }

  /** Opens a folder or makes one; rejects as `openLevelStore` does. */
  static async open(folder: string): Promise<ReasoningFolder> {
    const store = await openLevelStore({ folder });
    return new ReasoningFolder(store, await store.raiseEpoch());
  }

  /** What earlier lives have saved; undefined when they have not. */
  async read(): Promise<ReasoningBankSnapshot | undefined> {
    const saved = await this.#store.latestSnapshot();
    if (saved === undefined) return undefined;
    let snapshot: ReasoningBankSnapshot | undefined;
    const ring: RingEntry[] = [];
    for await (const piece of saved.pieces) {
      const content = decodeDocument(Uint8Array.from(piece));
      if (snapshot === undefined) snapshot = content as ReasoningBankSnapshot;
      else ring.push(...(content as RingEntry[]));
    }
    return snapshot && { ...snapshot, experiences: { ...snapshot.experiences, ring } };
  }

  /** Replaces what is there. */
  async save(snapshot: ReasoningBankSnapshot): Promise<void> {
    const sequence = await this.#store.append(this.#epoch, [new Uint8Array(1)]);
    await this.#store.snapshot(sequence, piecesOf(snapshot));
  }

  async close(): Promise<void> {
    await this.#store.close();
  }
}

function* piecesOf(snapshot: ReasoningBankSnapshot): Generator<Uint8Array> {
  const { ring } = snapshot.experiences;
  yield encodeDocument({ ...snapshot, experiences: { ...snapshot.experiences, ring: [] } });
  for (let start = 0; start < ring.length; start += EXPERIENCES_PER_PIECE) {
    yield encodeDocument(ring.slice(start, start + EXPERIENCES_PER_PIECE));
  }
}
