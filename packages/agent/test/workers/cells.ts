/**
 * A handler whose test looks into it through shared memory, the only data set of its tasks: cell `index` counts the
 * starts of a task, cell `gate` is what it waits for.
 */
import type { TaskContext } from '@quic-swarm/agent';

export interface CellOrder {
  readonly do: 'return' | 'hold' | 'chunks' | 'fail' | 'exit' | 'throwLater' | 'forever' | 'notice';
  readonly index: number;
  readonly gate?: number;
  readonly count?: number;
}

export default function handle(order: CellOrder, context: TaskContext): unknown {
  const [dataset] = context.datasets.values();
  if (dataset === undefined) throw new Error('no cells');
  const cells = new Int32Array(dataset.bytes.buffer);
  const { index, gate = 0, count = 0 } = order;
  Atomics.add(cells, index, 1);
  Atomics.notify(cells, index);
  switch (order.do) {
    case 'return':
      return index;
    case 'hold':
      while (Atomics.load(cells, gate) === 0) Atomics.wait(cells, gate, 0);
      return index;
    case 'chunks':
      for (let part = 0; part < count; part += 1) {
        context.progress(1, `${index}`);
        context.emit([index, part]);
      }
      return index;
    case 'fail':
      throw new Error(`task ${index} failed`);
    case 'exit':
      return process.exit(3);
    case 'throwLater':
      setTimeout(() => {
        throw new Error('nobody caught this');
      }, 0);
      return new Promise(() => {});
    case 'forever':
      for (;;) Atomics.wait(cells, gate, 0, 1);
    case 'notice':
      while (!context.isCancelled()) Atomics.wait(cells, gate, 0, 1);
      return index;
  }
}
