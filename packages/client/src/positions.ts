/** How many positions a task has that is to be split: as far as that is known here, so that nobody has to say it. */
/** Rows of a table that this client has put; undefined of others. */
export type RowsOf = (datasetId: string) => number | undefined;

/**
 * The windows of a PatternMatch; undefined of other task types, of inputs that are none, and of data sets that somebody
 * else has put.
 */
export function positionsOf(taskType: string, input: unknown, rowsOf: RowsOf): number | undefined {
  if (taskType !== 'PatternMatch') return undefined;
  const { series, query } = (input ?? {}) as { series?: unknown; query?: unknown };
  const rows = lengthOf(series, rowsOf);
  const length = lengthOf(query, rowsOf);
  if (rows === undefined || length === undefined) return undefined;
  return Math.max(0, rows - length + 1);
}

function lengthOf(reference: unknown, rowsOf: RowsOf): number | undefined {
  if (typeof reference !== 'object' || reference === null) return undefined;
  const { values, datasetId, start, end } = reference as Readonly<Record<string, unknown>>;
  if (values instanceof Float64Array) return values.length;
  if (typeof datasetId !== 'string') return undefined;
  const last = typeof end === 'number' ? end : rowsOf(datasetId);
  return last === undefined ? undefined : last - (typeof start === 'number' ? start : 0);
}
