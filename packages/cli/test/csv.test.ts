import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCsv } from '../src/input/csv.ts';

const source = 'prices.csv';
const parse = (text: string, columns?: string[]): ReturnType<typeof parseCsv> =>
  parseCsv(text, { source, ...(columns === undefined ? {} : { columns }) });

const column = (text: string, name: string): number[] => [
  ...(parse(text, [name]).columns.get(name) ?? []),
];

describe('parseCsv reads', () => {
  it.each([
    ['comma', 'a,b\n1,2\n3,4\n'],
    ['semicolon', 'a;b\n1;2\n3;4\n'],
    ['tab', 'a\tb\n1\t2\n3\t4\n'],
    ['CRLF', 'a,b\r\n1,2\r\n3,4\r\n'],
    ['a lone CR at the end of lines', 'a,b\r1,2\r3,4\r'],
    ['no newline at the end', 'a,b\n1,2\n3,4'],
    ['a byte order mark', '\uFEFFa,b\n1,2\n3,4\n'],
    ['quotes', '"a","b"\n"1","2"\n3,"4"\n'],
    ['spaces around cells', ' a , b\n 1 , 2\n3, 4 \n'],
    ['spaces before quotes', 'a, "b"\n1, "2"\n3, "4" \n'],
    ['blank lines before the header and at the end', '\n\na,b\n1,2\n3,4\n\n\n'],
    ['a blank line between rows', 'a,b\n1,2\n\n3,4\n'],
  ])('%s', (_what, text) => {
    const { columns, header, rows } = parse(text);
    expect(header).toEqual(['a', 'b']);
    expect(rows).toBe(2);
    expect([...columns].map(([name, values]) => [name, [...values]])).toEqual([
      ['a', [1, 3]],
      ['b', [2, 4]],
    ]);
  });

  it('files without a header, whose columns are numbered', () => {
    const { header, columns } = parse('1,2\n3,4\n');
    expect(header).toEqual(['column1', 'column2']);
    expect([...(columns.get('column2') ?? [])]).toEqual([2, 4]);
  });

  it('empty cells, NA, NaN and null as gaps', () => {
    expect(column('a,b\n,1\nNA,1\nnan,1\nNULL,1\n"",1\n-1.5e3,1\n', 'a')).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
      Number.NaN,
      Number.NaN,
      -1500,
    ]);
  });

  it('a blank line in a file of one column as a gap, unless nothing follows', () => {
    expect(column('a\n1\n\n2\n\n\n', 'a')).toEqual([1, Number.NaN, 2]);
    expect(column('a\n""\n1\n""\n', 'a')).toEqual([Number.NaN, 1, Number.NaN]);
  });

  it('delimiters, quotes and line ends inside quotes as text', () => {
    const text = '"the ""a"", really",b\n1,2\n"3","4"\n';
    expect(column(text, 'the "a", really')).toEqual([1, 3]);
    const error = thrownBy(() => parse('note,b\n"two\nlines",2\nx,oops\n', ['b']));
    expect(error.message).toContain('line 4');
  });

  it('columns of numbers only, and names those with text', () => {
    const { columns, skipped } = parse('date,a,note\n2020-01-01,1,\n2020-01-02,2,first\n');
    expect([...columns.keys()]).toEqual(['a']);
    expect(skipped).toEqual(['date', 'note']);
  });

  it('what was written, whatever the numbers, gaps, delimiter and line ends', () => {
    const cell = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constant(Number.NaN),
    );
    const name = fc.string({ minLength: 1, maxLength: 12 }).map((text) => `n${text}`);
    const tables = fc
      .uniqueArray(name, { minLength: 1, maxLength: 5, selector: (text) => text.trim() })
      .chain((names) =>
        fc.record({
          names: fc.constant(names),
          rows: fc.array(fc.tuple(...names.map(() => cell)), { maxLength: 20 }),
          delimiter: fc.constantFrom(',', ';', '\t'),
          lineEnd: fc.constantFrom('\n', '\r\n'),
          gap: fc.constantFrom('NA', '""', 'null'),
        }),
      );
    fc.assert(
      fc.property(tables, ({ names, rows, delimiter, lineEnd, gap }) => {
        const quoted = names.map((text) => `"${text.trim().replaceAll('"', '""')}"`);
        const lines = rows.map((row) =>
          row.map((value) => (Number.isNaN(value) ? gap : textOf(value))).join(delimiter),
        );
        const text = [quoted.join(delimiter), ...lines, ''].join(lineEnd);
        const { columns, rows: count } = parse(
          text,
          names.map((entry) => entry.trim()),
        );
        expect(count).toBe(rows.length);
        for (const [index, entry] of names.entries()) {
          expect([...(columns.get(entry.trim()) ?? [])]).toEqual(
            rows.map((row) => row[index] ?? Number.NaN),
          );
        }
      }),
    );
  });
});

describe('parseCsv refuses', () => {
  it.each([
    ['an empty file', '', 'prices.csv is empty.'],
    ['a file of blank lines', '\n \n', 'prices.csv is empty.'],
    ['text in a column of numbers', 'a,b\n1,2\n3,x\n', 'line 3, column "b": "x" is not a number'],
    ['infinity', 'a\n1\nInfinity\n', 'line 3, column "a": "Infinity" is not a number'],
    ['hexadecimal numbers', 'a\n1\n0x1f\n', '"0x1f" is not a number'],
    ['too few cells', 'a,b\n1,2\n3\n', 'line 3: 1 cells where 2 are expected'],
    ['too many cells', 'a,b\n1,2,3\n', 'line 2: 3 cells where 2 are expected'],
    [
      'a quote that is not closed',
      'a,b\n1,"2\n3,4\n',
      'line 2: a quote is opened and never closed',
    ],
    ['text behind a quote', 'a,b\n1,"2"x\n', 'line 2: text follows a closing quote'],
    ['two columns of one name', 'a,a\n1,2\n', 'two columns called "a"'],
  ])('%s', (_what, text, message) => {
    const error = thrownBy(() => parse(text));
    expect(error.message).toContain(message);
    expect(error).toMatchObject({ type: 'BAD_INPUT', code: 'INVALID_ARGUMENT' });
  });

  it('decimal commas, with what to do', () => {
    const error = thrownBy(() => parse('a;b\n1;2\n1;2,5\n'));
    expect(error).toMatchObject({ hint: expect.stringContaining('1.5') as string });
  });

  it('text in the first row of a column that was asked for', () => {
    const error = thrownBy(() => parse('date,a\nyesterday,1\n', ['date']));
    expect(error.message).toContain('line 2, column "date": "yesterday" is not a number');
  });

  it('an unknown column, with the nearest one', () => {
    const error = thrownBy(() => parse('DAX,SMI\n1,2\n', ['DAXX']));
    expect(error).toMatchObject({
      type: 'BAD_OPTION',
      message: 'prices.csv has no column "DAXX".',
      hint: 'Did you mean "DAX"? Known: DAX, SMI.',
    });
  });
});

/** String(-0) is 0. */
function textOf(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function thrownBy(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('Nothing was thrown.');
}
