/** What writers were told, and whether it is so. */
import { openLevelStore } from '@quic-swarm/store';

/** The beginning of a payload, which names it. */
export function payloadText(life: string, appender: number, count: number): string {
  return `${life}/${appender}/${count}`;
}

/** What a look into a store showed. */
export interface Verdict {
  /** Acknowledged entries that are not there, or are others. */
  readonly lost: number;
  /** Why it could not be opened or read, or what in it contradicts itself; undefined where nothing. */
  readonly error: string | undefined;
  /** Notices of the opening. */
  readonly notices: number;
}

/** See the head of this file. */
export class Ledger {
  /** Names of acknowledged entries by sequence number. */
  readonly #entries = new Map<number, string>();
  #counter = 0;
  /** Other lines that a writer said. */
  readonly remarks: string[] = [];

  get acknowledged(): number {
    return this.#entries.size;
  }

  /** Takes down a line of a writer. */
  note(line: string): void {
    const [kind, number, name = ''] = line.split(' ');
    if (kind === 'entry') this.#entries.set(Number(number), name);
    else if (kind === 'counter') this.#counter = Number(number);
    else this.remarks.push(line);
  }

  /** Looks whether everything is there, and whether the store can be written to. */
  async verify(folder: string): Promise<Verdict> {
    let notices = 0;
    let lost = this.#entries.size;
    try {
      await using store = await openLevelStore({
        folder,
        onNotice: () => {
          notices += 1;
        },
      });
      const snapshot = await store.latestSnapshot();
      const from = snapshot?.sequence ?? 0;
      const pieces: string[] = [];
      for await (const piece of snapshot?.pieces ?? []) pieces.push(Buffer.from(piece).toString());
      lost = [...this.#entries.keys()].filter((sequence) => sequence > from).length;
      for await (const { sequence, payload } of store.tail(from + 1)) {
        const name = Buffer.from(payload).toString().split(' ')[0];
        if (this.#entries.get(sequence) === name) lost -= 1;
      }
      const problems: string[] = [];
      if (snapshot !== undefined && pieces.join(' ') !== `state after ${from}`) {
        problems.push(`the snapshot after ${from} says ${pieces.join(' ')}`);
      }
      const counter = Number(Buffer.from((await store.get('counter')) ?? []).toString());
      if (counter < this.#counter) problems.push(`the counter is ${counter}, not ${this.#counter}`);
      const sequence = await store.append(await store.raiseEpoch(), [Buffer.from('verified')]);
      if (sequence !== store.lastSequence) problems.push('it appends with wrong numbers');
      return { lost, notices, error: problems.length === 0 ? undefined : problems.join('; ') };
    } catch (error) {
      return { lost, notices, error: String(error) };
    }
  }
}
