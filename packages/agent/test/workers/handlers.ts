/** Handlers that run in the threads of these tests; `input.do` says which. */
import { threadId } from 'node:worker_threads';
import type { TaskContext } from '@quic-swarm/agent';

export interface Order {
  readonly do: keyof typeof ORDERS;
  readonly value?: unknown;
  readonly count?: number;
}

const sleepCell = new Int32Array(new SharedArrayBuffer(4));

const ORDERS = {
  echo: ({ value }: Order) => ({ value, threadId }),
  nothing: () => undefined,
  /** Stops when it is told to, like a good synchronous handler. */
  untilCancelled: (_order: Order, context: TaskContext) => {
    context.progress(0.1, 'waiting');
    while (!context.isCancelled()) Atomics.wait(sleepCell, 0, 0, 1);
    return 'noticed';
  },
  /** Never stops. */
  forever: (_order: Order, context: TaskContext) => {
    context.progress(0.1, 'looping');
    for (;;) Atomics.wait(sleepCell, 0, 0, 1);
  },
  untilSignal: (_order: Order, { signal }: TaskContext) =>
    new Promise((_resolve, reject) => {
      const stop = (): void => reject(new Error('the signal was raised'));
      // The cancellation may have come before the handler.
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop);
    }),
  chunks: ({ count = 0 }: Order, context: TaskContext) => {
    for (let i = 0; i < count; i += 1) context.emit({ part: i });
    return count;
  },
  large: ({ count = 0 }: Order) => new Float64Array(count).fill(1.5),
  exit: (_order: Order, context: TaskContext) => {
    context.progress(0.5);
    return process.exit(3);
  },
  throwPlain: () => {
    throw new Error('it broke');
  },
  throwFinal: () => {
    throw Object.assign(new TypeError('it will always break'), { retryable: false });
  },
  date: () => new Date(0),
  arm: (_order: Order, { arm }: TaskContext) => arm,
  /** Makes the calls of `predict` that the order lists, and says what it ran with. */
  predict: ({ value }: Order, { predict, ranWith }: TaskContext) => {
    ranWith({ window: 1 });
    for (const call of value as Parameters<TaskContext['predict']>[]) predict(...call);
    return 'done';
  },
  /** Counts its calls in the data set itself: only shared memory adds up. */
  countInDataset: (_order: Order, { datasets }: TaskContext) => {
    const [dataset] = datasets.values();
    if (dataset === undefined) throw new Error('no data set');
    const values = dataset.table().columns.get('counter');
    if (values === undefined) throw new Error('no column');
    const cells = new Int32Array(values.buffer, values.byteOffset, 1);
    return Atomics.add(cells, 0, 1) + 1;
  },
};

export default function handle(order: Order, context: TaskContext): unknown {
  return ORDERS[order.do](order, context);
}
