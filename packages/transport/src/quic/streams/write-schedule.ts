/** Streams that have something to hand to quiche: by urgency, and in turns among streams of one urgency. */
import type { QuicStream } from './stream.ts';

/** After so many streams in a row that could not move, the connection itself is blocked. */
const BLOCKED_IN_A_ROW_MAX = 64;

/** A set of streams, ordered for writing. */
export class WriteSchedule {
  readonly #levels: { readonly urgency: number; readonly streams: Set<QuicStream> }[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(stream: QuicStream): void {
    const { streams } = this.#level(stream.urgency);
    const before = streams.size;
    streams.add(stream);
    this.#size += streams.size - before;
  }

  remove(stream: QuicStream): void {
    if (this.#level(stream.urgency).streams.delete(stream)) this.#size -= 1;
  }

  /** Keeps the stream's place in the set while `change` changes its urgency. */
  move(stream: QuicStream, change: () => void): void {
    const isMember = this.#level(stream.urgency).streams.has(stream);
    if (isMember) this.remove(stream);
    change();
    if (isMember) this.add(stream);
  }

  clear(): void {
    for (const { streams } of this.#levels) streams.clear();
    this.#size = 0;
  }

  /** Lets streams hand over what they have. Those that are done leave; those that are not go to the end of the row. */
  flush(): void {
    let blocked = 0;
    for (const { streams } of this.#levels) {
      // Streams are put back at the end while the row is walked: they must not come a second time.
      const row = [...streams];
      for (const stream of row) {
        const progress = stream.flush();
        if (progress === 'done') {
          this.remove(stream);
        } else if (streams.delete(stream)) {
          streams.add(stream);
        }
        blocked = progress === 'blocked' ? blocked + 1 : 0;
        if (blocked === BLOCKED_IN_A_ROW_MAX) return;
      }
    }
  }

  #level(urgency: number): { readonly urgency: number; readonly streams: Set<QuicStream> } {
    const found = this.#levels.find((level) => level.urgency === urgency);
    if (found !== undefined) return found;
    const level = { urgency, streams: new Set<QuicStream>() };
    this.#levels.push(level);
    this.#levels.sort((a, b) => a.urgency - b.urgency);
    return level;
  }
}
