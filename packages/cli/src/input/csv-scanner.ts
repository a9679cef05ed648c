/**
 * Cuts the text of a CSV file (RFC 4180, with the liberties that real files take) into records and cells. It knows
 * nothing of numbers: it only says where each cell lies, so that cells nobody asked for are never copied.
 */
import { inputError } from '../output/command-error.ts';

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

/** Walks over the records of a text; after `next()` returned true, `cell(i)` for i < `cells` reads the record. */
export class CsvScanner {
  /** Line of the file, from 1, in which the present record begins. */
  line = 1;
  /** Cells of the present record. */
  cells = 0;

  readonly #text: string;
  readonly #source: string;
  readonly #delimiter: number;
  #position = 0;
  #nextLine = 1;
  /** Where each cell begins and ends, and whether it has doubled quotes to undo; reused for every record. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #doubled: boolean[] = [];

  constructor(text: string, delimiter: string, source: string) {
    this.#text = text;
    this.#source = source;
    this.#delimiter = delimiter.charCodeAt(0);
  }

  /** Reads one record; false at the end of the text. */
  next(): boolean {
    if (this.#position >= this.#text.length) return false;
    this.line = this.#nextLine;
    this.cells = 0;
    while (this.#readCell()) this.#position++;
    this.#passLineEnd();
    return true;
  }

  /** The text of a cell, without quotes and surrounding spaces. */
  cell(index: number): string {
    const text = this.#text.slice(this.#starts[index] ?? 0, this.#ends[index] ?? 0);
    return this.#doubled[index] === true ? text.replaceAll('""', '"') : text;
  }

  /** True for a line without any text; an empty cell in quotes is a cell. */
  get isBlank(): boolean {
    const start = this.#starts[0] ?? 0;
    const isQuoted = this.#text.charCodeAt(start - 1) === QUOTE;
    return this.cells === 1 && start === this.#ends[0] && !isQuoted;
  }

  /** Reads one cell and stops behind it; true when a delimiter follows. */
  #readCell(): boolean {
    const text = this.#text;
    const delimiter = this.#delimiter;
    let position = this.#position;
    // Spaces before a cell do not count, unless the delimiter is such a character itself (a tab is not).
    while (text.charCodeAt(position) === SPACE) position++;
    this.#position = position;
    if (text.charCodeAt(position) === QUOTE) return this.#readQuoted();
    const start = position;
    let code = text.charCodeAt(position);
    // Past the end charCodeAt is NaN, which differs from everything: hence the test of the length.
    while (
      position < text.length &&
      code !== delimiter &&
      code !== LINE_FEED &&
      code !== CARRIAGE_RETURN
    ) {
      code = text.charCodeAt(++position);
    }
    let end = position;
    while (end > start && text.charCodeAt(end - 1) === SPACE) end--;
    this.#push(start, end, false);
    this.#position = position;
    return code === delimiter;
  }

  #readQuoted(): boolean {
    const text = this.#text;
    const start = this.#position + 1;
    let doubled = false;
    let end = text.indexOf('"', start);
    while (end >= 0 && text.charCodeAt(end + 1) === QUOTE) {
      doubled = true;
      end = text.indexOf('"', end + 2);
    }
    if (end < 0) {
      throw inputError(
        `${this.#source}, line ${this.#nextLine}: a quote is opened and never closed.`,
        'Close the quote, or write two quotes ("") for one inside a quoted cell.',
      );
    }
    for (let at = text.indexOf('\n', start); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) {
      this.#nextLine++;
    }
    this.#push(start, end, doubled);
    let position = end + 1;
    while (text.charCodeAt(position) === SPACE) position++;
    this.#position = position;
    const code = text.charCodeAt(position);
    if (code === this.#delimiter) return true;
    if (position >= text.length || code === LINE_FEED || code === CARRIAGE_RETURN) return false;
    throw inputError(
      `${this.#source}, line ${this.#nextLine}: text follows a closing quote.`,
      'Write two quotes ("") for one inside a quoted cell.',
    );
  }

  #push(start: number, end: number, doubled: boolean): void {
    this.#starts[this.cells] = start;
    this.#ends[this.cells] = end;
    this.#doubled[this.cells] = doubled;
    this.cells++;
  }

  #passLineEnd(): void {
    if (this.#text.charCodeAt(this.#position) === CARRIAGE_RETURN) this.#position++;
    if (this.#text.charCodeAt(this.#position) === LINE_FEED) this.#position++;
    this.#nextLine++;
  }
}

/** The delimiter of a file, told from its first line: a tab or semicolon wins, since commas occur inside cells. */
export function delimiterOf(text: string): string {
  let quoted = false;
  let semicolon = false;
  for (const character of text) {
    if (character === '"') quoted = !quoted;
    if (quoted) continue;
    if (character === '\t') return '\t';
    if (character === ';') semicolon = true;
    if (character === '\n' || character === '\r') break;
  }
  return semicolon ? ';' : ',';
}
