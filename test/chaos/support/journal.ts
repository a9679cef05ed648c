/** What the handlers wrote: each start and each end of a task, by which process and when. */
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';

/** One line. */
export interface JournalEntry {
  readonly event: 'start' | 'end';
  /** The task. */
  readonly number: number;
  /** The agent's process. */
  readonly pid: number;
  readonly atMs: number;
  /** Of the task, from 1; 0 where it was not noted. */
  readonly attempt: number;
}

/** Reads a journal as it grows. */
export class Journal {
  readonly path: string;
  readonly entries: JournalEntry[] = [];
  readonly #buffer: Buffer = Buffer.alloc(256 * 1024);
  #offset = 0;
  #rest = '';

  constructor(path: string) {
    this.path = path;
    writeFileSync(path, '');
  }

  /** Reads what was added; returns the new entries. */
  read(): readonly JournalEntry[] {
    const before = this.entries.length;
    const file = openSync(this.path, 'r');
    try {
      for (;;) {
        const length = readSync(file, this.#buffer, 0, this.#buffer.length, this.#offset);
        if (length === 0) break;
        this.#offset += length;
        this.#take(this.#buffer.toString('latin1', 0, length));
      }
    } finally {
      closeSync(file);
    }
    return this.entries.slice(before);
  }

  /** The starts of each task, oldest first. */
  startsByTask(): Map<number, JournalEntry[]> {
    this.read();
    const starts = new Map<number, JournalEntry[]>();
    for (const entry of this.entries) {
      if (entry.event !== 'start') continue;
      const known = starts.get(entry.number);
      if (known === undefined) starts.set(entry.number, [entry]);
      else known.push(entry);
    }
    for (const each of starts.values()) each.sort((a, b) => a.atMs - b.atMs);
    return starts;
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [event, ...values] = line.split(' ');
      const [number = NaN, pid = NaN, atMs = NaN, attempt = NaN] = values.map(Number);
      if (event !== 'start' && event !== 'end') continue;
      this.entries.push({ event, number, pid, atMs, attempt });
    }
  }
}
