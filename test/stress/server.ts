/** The server of a stress run: does what the order at the beginning of each stream says. */
import { seededRandom } from '@quic-swarm/testkit';
import type { Connection, Stream } from '@quic-swarm/transport';
import type { Random } from './plan.ts';
import type { Totals } from './totals.ts';
import { readStream, REASON, sendOrder, sendPattern, WrongBytes, type Order } from './streams.ts';
import type { Watched } from './watchdog.ts';

/** What the server needs of the piece. */
export interface ServerContext {
  readonly seed: number;
  readonly watchedByNumber: ReadonlyMap<number, Watched>;
  readonly totals: Pick<Totals, 'truncated'>;
  readonly onBug: (error: Error) => void;
}

/** Serves one connection. */
export function serveConnection(connection: Connection, context: ServerContext): void {
  const random = seededRandom(context.seed);
  let watched: Watched | undefined;
  connection.onStream = (stream) => {
    let order: Order | undefined;
    readStream(stream, undefined, {
      onOrder: (arrived) => {
        order = arrived;
        if (order.kind === 'hello') {
          watched = context.watchedByNumber.get(order.connection);
          if (watched !== undefined) watched.server = connection;
        } else if (order.kind === 'resetByPeer') {
          stream.reset(REASON);
        } else if (order.kind === 'slowReader') {
          pauseNowAndThen(stream, random);
        }
      },
      onProgress: () => watched?.progress(),
      onEnd: (received) => {
        // Under loss quiche 0.18 shows a stream that its sender reset as ended: after some bytes, without an error.
        const isCut = order === undefined || order.kind === 'resetByOpener';
        if (isCut && received < (order?.length ?? 1)) {
          context.totals.truncated += 1;
          return;
        }
        if (order === undefined || received !== order.length) {
          context.onBug(new WrongBytes(`${received} bytes of ${order?.length} arrived.`));
          return;
        }
        answer(connection, stream, order, random).catch(() => undefined);
      },
      // The client counts what fails; the server's half of a stream that was reset is of no interest.
      onError: (error) => {
        if (error instanceof WrongBytes) context.onBug(error);
      },
    });
  };
}

async function answer(
  connection: Connection,
  stream: Stream,
  order: Order,
  random: Random,
): Promise<void> {
  if (order.kind !== 'callBack') {
    await sendPattern(stream, order.offset + 1, order.answerLength, random);
    return;
  }
  stream.end();
  const own = await connection.openStream();
  own.onError = () => undefined;
  own.onData = () => undefined;
  await sendOrder(own, { ...order, kind: 'exchange', length: order.answerLength }, random);
}

/** Stops reading for some milliseconds after every few chunks. */
export function pauseNowAndThen(stream: Stream, random: Random): void {
  const read = stream.onData;
  stream.onData = (bytes) => {
    read?.(bytes);
    if (random() > 0.2) return;
    stream.pause();
    setTimeout(() => {
      stream.resume();
    }, random() * 20);
  };
}
