/** A context for handlers that a test calls itself. */
import { decodeTable, encodeTable } from '@quic-swarm/protocol';
import type { DatasetView, TaskContext } from '@quic-swarm/agent';

export const DATASET_ID: string = `sha256:${'a'.repeat(64)}`;

/** A table in shared memory, as agents keep it. */
function tableView(columns: Record<string, Float64Array>): DatasetView {
  const encoded = encodeTable(new Map(Object.entries(columns)));
  const bytes = new Uint8Array(new SharedArrayBuffer(encoded.length));
  bytes.set(encoded);
  return {
    datasetId: DATASET_ID,
    mediaType: 'application/vnd.quic-swarm.table',
    bytes,
    table: () => decodeTable(bytes),
  };
}

/** A context with one data set; `progress` is written down. */
export function contextWith(
  columns: Record<string, Float64Array> = {},
  more: Partial<TaskContext> = {},
): TaskContext & { readonly fractions: number[] } {
  const fractions: number[] = [];
  return {
    fractions,
    taskId: '00000000-0000-7000-8000-000000000001',
    taskType: 'test',
    attempt: 1,
    signal: new AbortController().signal,
    isCancelled: () => false,
    progress: (fraction) => void fractions.push(fraction),
    emit: () => {},
    results: [],
    datasets: new Map([[DATASET_ID, tableView(columns)]]),
    shard: undefined,
    arm: undefined,
    ranWith: () => {},
    predict: () => {},
    ...more,
  };
}

/** Numbers that look like prices; the same for the same seed. */
export function pricesOf(rows: number, seed = 1): Float64Array {
  const prices = new Float64Array(rows);
  let state = seed >>> 0;
  let price = 100;
  for (let row = 0; row < rows; row += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    price *= 1 + (state / 2 ** 32 - 0.5) * 0.02;
    prices[row] = price;
  }
  return prices;
}
