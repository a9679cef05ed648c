/**
 * Reads columns of numbers from CSV text: comma, semicolon or tab; with or without a header; gaps where a cell is
 * empty, `NA`, `NaN` or `null`. A word in a column of numbers is an error that names line and column, never a silent
 * gap: a number that was lost on the way would make every result that follows wrong.
 */
import { suggest } from '../command-line/suggestion.ts';
import { inputError, usageError } from '../output/command-error.ts';
import { CsvScanner, delimiterOf } from './csv-scanner.ts';

/** The longest name that a column may have on the wire. */
const NAME_LENGTH_MAX = 128;

/** What was read. */
export interface CsvTable {
  /** What the text is called in messages: the path of the file. */
  readonly source: string;
  /** All columns of the file in their order; `column1`, `column2`, … where there is no header. */
  readonly header: readonly string[];
  readonly rows: number;
  /** The columns that were asked for, NaN for a gap. */
  readonly columns: ReadonlyMap<string, Float64Array>;
  /** Columns that hold text and were not asked for by name. */
  readonly skipped: readonly string[];
}

/** Which columns to read. */
export interface CsvOptions {
  /** What to call the text in messages. */
  readonly source: string;
  /** Names of columns. @default every column of numbers */
  readonly columns?: readonly string[];
}

/** Reads CSV text. @throws BAD_INPUT with the line, or BAD_OPTION for a column that is not there */
export function parseCsv(content: string, options: CsvOptions): CsvTable {
  const text = content.startsWith('\uFEFF') ? content.slice(1) : content;
  const { source } = options;
  if (text.trim() === '') throw inputError(`${source} is empty.`, 'Give a file with rows.');
  const scanner = new CsvScanner(text, delimiterOf(text), source);
  while (scanner.next() && scanner.isBlank) continue;
  const first = cellsOf(scanner);
  const hasHeader = first.some((cell) => numberOf(cell) === undefined);
  const header = headerOf(first, hasHeader, source);
  const readers = readersOf(header, options);
  const rows = readRows(scanner, { readers, header, source, startsWithRow: !hasHeader });
  const numeric = readers.filter((reader) => !reader.isText);
  return {
    source,
    header,
    rows,
    columns: new Map(numeric.map((reader) => [reader.name, reader.finish(rows)])),
    skipped: readers.filter((reader) => reader.isText).map((reader) => reader.name),
  };
}

interface Reading {
  readonly readers: readonly ColumnReader[];
  readonly header: readonly string[];
  readonly source: string;
  /** The scanner stands on a row already. */
  readonly startsWithRow: boolean;
}

function readRows(scanner: CsvScanner, reading: Reading): number {
  const { readers, header, source } = reading;
  let rows = 0;
  // In a file of one column a blank line is a gap, unless only blank lines follow; elsewhere it is nothing.
  let blanks = 0;
  for (let more = reading.startsWithRow || scanner.next(); more; more = scanner.next()) {
    if (scanner.isBlank) {
      blanks += header.length === 1 ? 1 : 0;
      continue;
    }
    if (scanner.cells !== header.length) {
      throw inputError(
        `${source}, line ${scanner.line}: ${scanner.cells} cells where ${header.length} are expected.`,
        'Every line needs as many cells as the first one; put cells that contain the delimiter in quotes.',
      );
    }
    for (; blanks > 0; blanks--) for (const reader of readers) reader.put(rows++, Number.NaN);
    for (const reader of readers) reader.read(scanner, rows);
    rows++;
  }
  return rows;
}

/** Collects one column. */
class ColumnReader {
  readonly name: string;
  /** Asked for by name: then text in it is an error from the first row on. */
  readonly #wanted: boolean;
  readonly #index: number;
  readonly #source: string;
  #values = new Float64Array(1024);
  #sawNumber = false;
  #isText = false;

  constructor(name: string, index: number, wanted: boolean, source: string) {
    this.name = name;
    this.#index = index;
    this.#wanted = wanted;
    this.#source = source;
  }

  /** True for a column that nobody asked for and that begins with text. */
  get isText(): boolean {
    return this.#isText;
  }

  read(scanner: CsvScanner, row: number): void {
    if (this.#isText) return;
    const cell = scanner.cell(this.#index);
    const value = numberOf(cell);
    if (value !== undefined) {
      this.#sawNumber ||= !Number.isNaN(value);
      this.put(row, value);
      return;
    }
    if (!this.#wanted && !this.#sawNumber) {
      this.#isText = true;
      return;
    }
    throw inputError(
      `${this.#source}, line ${scanner.line}, column "${this.name}": "${cell.slice(0, 40)}" is not a number.`,
      /^-?\d+,\d+$/.test(cell)
        ? 'Write decimals with a point: 1.5, not 1,5.'
        : 'Leave a cell empty (or write NA) where a value is missing.',
    );
  }

  put(row: number, value: number): void {
    if (row >= this.#values.length) {
      const larger = new Float64Array(this.#values.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[row] = value;
  }

  finish(rows: number): Float64Array {
    return this.#values.slice(0, rows);
  }
}

/** The number in a cell, NaN for a gap, undefined for text. */
function numberOf(cell: string): number | undefined {
  if (cell === '') return Number.NaN;
  const value = Number(cell);
  // Number() also reads 0x10 and 0b1, which nobody means in a table; the letter stands second or, after a sign, third.
  if (Number.isFinite(value)) return /^[+-]?0[xXbBoO]/.test(cell) ? undefined : value;
  const word = cell.toLowerCase();
  return word === 'na' || word === 'nan' || word === 'n/a' || word === 'null'
    ? Number.NaN
    : undefined;
}

function readersOf(header: readonly string[], options: CsvOptions): ColumnReader[] {
  const { source, columns: wanted } = options;
  if (wanted === undefined) {
    return header.map((name, index) => new ColumnReader(name, index, false, source));
  }
  return wanted.map((name) => {
    const index = header.indexOf(name);
    if (index >= 0) return new ColumnReader(name, index, true, source);
    throw usageError(`${source} has no column "${name}".`, suggest(name, header));
  });
}

function headerOf(first: readonly string[], hasHeader: boolean, source: string): string[] {
  const names = first.map((cell, index) =>
    hasHeader && cell !== '' ? cell : `column${index + 1}`,
  );
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) !== index) {
      throw inputError(
        `${source} has two columns called "${name}".`,
        'Give each column a name of its own.',
      );
    }
    if (name.length > NAME_LENGTH_MAX) {
      throw inputError(
        `${source}: the name of column ${index + 1} has ${name.length} characters, over ${NAME_LENGTH_MAX}.`,
        'Does the file have a header and the delimiter you think? Give it a shorter name.',
      );
    }
  }
  return names;
}

function cellsOf(scanner: CsvScanner): string[] {
  return Array.from({ length: scanner.cells }, (_, index) => scanner.cell(index));
}
