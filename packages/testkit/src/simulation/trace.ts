/** What happened in a run, line by line: read by people, and hashed to prove that two runs are the same. */

/** One line. */
export interface TraceLine {
  readonly atMs: number;
  readonly text: string;
  /** It happens all the time and says little, as a heartbeat: left out where it does not matter. */
  readonly isNoise: boolean;
}

/** Lines that are kept; a run that goes on for ever must not fill the memory. */
const LINES_MAX = 200_000;

/** See the head of this file. */
export class Trace {
  readonly lines: TraceLine[] = [];
  #low = 0x811c9dc5;
  #high = 0x01234567;

  /** Two runs with the same fingerprint had the same lines at the same times. */
  get fingerprint(): string {
    return this.#high.toString(16).padStart(8, '0') + this.#low.toString(16).padStart(8, '0');
  }

  note(atMs: number, text: string, isNoise: boolean = false): void {
    // All digits of the time count: the smallest difference between two runs becomes a large one later.
    this.#hash(`${atMs} ${text}`);
    if (this.lines.length < LINES_MAX) this.lines.push({ atMs, text, isNoise });
  }

  /** All lines that name one of them: `t3`, `a1`. */
  story(names: readonly string[]): string[] {
    const pattern = new RegExp(`(?<![\\w.])(?:${names.join('|')})(?![\\w])`);
    return this.lines.filter(({ text }) => pattern.test(text)).map(formatLine);
  }

  #hash(text: string): void {
    let low = this.#low;
    let high = this.#high;
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      low = Math.imul(low ^ code, 0x01000193);
      high = Math.imul(high ^ code, 0x85ebca6b) ^ (low >>> 13);
    }
    this.#low = low >>> 0;
    this.#high = high >>> 0;
  }
}

/** A line as people read it: `12.250 ms  a1 → coordinator: TaskStarted t1, attempt 1`. */
export function formatLine({ atMs, text }: TraceLine): string {
  return `${atMs.toFixed(2).padStart(10)} ms  ${text}`;
}
