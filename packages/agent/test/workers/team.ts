/** A handler whose work is done in parts, by whoever has time; the test steers it through the cells of its data set. */
import { threadId } from 'node:worker_threads';
import type { HelperContext, ThreadContext } from '../../src/shell/team.ts';

export interface TeamOrder {
  readonly parts: number;
  /** The host's first part waits until this cell is so high; other parts do not wait. */
  readonly hostWaitsFor: number;
  /** What the first helper does with its first part. */
  readonly firstHelper: 'computes' | 'holds' | 'exits' | 'throws';
}

/** Counted up by helpers for each part that they have done, and by the test to let the host go on. */
export const GO_ON = 0;
/** Parts that helpers have taken. */
export const HELPER_TOOK = 1;

function cellsOf({ datasets }: ThreadContext): Int32Array {
  const [dataset] = datasets.values();
  if (dataset === undefined) throw new Error('no cells');
  return new Int32Array(dataset.bytes.buffer);
}

export default async function work(order: TeamOrder, context: ThreadContext): Promise<unknown> {
  const cells = cellsOf(context);
  const { team } = context;
  if (team === undefined) throw new Error('no team');
  const doneBy = await team.computeTogether<readonly [part: number, thread: number]>({
    parts: order.parts,
    scratch: new SharedArrayBuffer(8),
    signal: () => context.signal,
    compute: (part) => {
      while (Atomics.load(cells, GO_ON) < order.hostWaitsFor) {
        if (context.isCancelled()) throw new Error('told to stop');
        Atomics.wait(cells, GO_ON, Atomics.load(cells, GO_ON), 5);
      }
      return [part, threadId];
    },
  });
  return { host: threadId, doneBy };
}

export function help(order: TeamOrder, context: HelperContext): void {
  const cells = cellsOf(context);
  const { parts } = context;
  for (let part = parts.take(); part !== undefined; part = parts.take()) {
    const isFirst = Atomics.add(cells, HELPER_TOOK, 1) === 0;
    if (isFirst && order.firstHelper === 'exits') process.exit(3);
    if (isFirst && order.firstHelper === 'throws') throw new Error('a helper failed');
    if (isFirst && order.firstHelper === 'holds') {
      while (!parts.isClosed && !context.isCancelled()) Atomics.wait(cells, 2, 0, 1);
      return;
    }
    parts.finishOne();
    context.emit([{ part, value: [part, threadId] }]);
    Atomics.add(cells, GO_ON, 1);
    Atomics.notify(cells, GO_ON);
  }
}
