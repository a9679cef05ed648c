/** Readable tables: a header, aligned columns, numbers to the right. */

/** How one column is shown. */
export interface TableColumn<T> {
  readonly title: string;
  readonly align?: 'left' | 'right';
  readonly text: (row: T) => string;
}

/** The lines of a table; the header comes first. */
export function tableLines<T>(columns: readonly TableColumn<T>[], rows: readonly T[]): string[] {
  const cells = [
    columns.map((column) => column.title),
    ...rows.map((row) => columns.map((column) => column.text(row))),
  ];
  const widths = columns.map((_, index) =>
    Math.max(...cells.map((line) => (line[index] ?? '').length)),
  );
  return cells.map((line) =>
    line
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        return columns[index]?.align === 'right' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Bytes in the unit that fits. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** A number with at most `digits` significant digits, and `-` for a gap. */
export function formatNumber(value: number | undefined, digits = 6): string {
  if (value === undefined || Number.isNaN(value)) return '-';
  return String(Number(value.toPrecision(digits)));
}
