/** A client of a stress run: connects, works on streams, ends the connection in one way or another, and begins again. */
import { deferred, type Deferred } from '@quic-swarm/testkit';
import type {
  Address,
  Connection,
  ConnectionClosed,
  Stream,
  Transport,
} from '@quic-swarm/transport';
import { choose, logInteger, type PiecePlan, type Random } from './plan.ts';
import { pauseNowAndThen } from './server.ts';
import { readStream, REASON, sendOrder, WrongBytes, type Order } from './streams.ts';
import type { Totals } from './totals.ts';
import type { Watchdog, Watched } from './watchdog.ts';

/** What clients of a piece share. */
export interface ClientContext {
  readonly plan: PiecePlan;
  readonly transport: Transport;
  readonly address: Address;
  readonly watchdog: Watchdog;
  /** By the number that a connection's first stream tells the server. */
  readonly watchedByNumber: Map<number, Watched>;
  readonly totals: Totals;
  /** Something happened that no network excuses. */
  readonly onBug: (error: Error) => void;
  readonly isOver: () => boolean;
}

const RESETS = ['resetByPeer', 'resetByOpener'] as const;

/** quiche 0.18 takes what was on its way on a stream that its sender reset from the window of the connection for good. */
const RESET_BYTES_MAX = 100_000;

const CONNECT_TIMEOUT_MS = 5000;
const ATTEMPTS_MAX = 10;

/** Lives one connection after the other until the piece is over. */
export async function runClient(
  name: string,
  context: ClientContext,
  random: Random,
): Promise<void> {
  while (!context.isOver()) {
    const number = context.watchedByNumber.size;
    const watched = context.watchdog.watch(`${name}, connection ${number}`);
    context.watchedByNumber.set(number, watched);
    try {
      await liveOnce(number, watched, context, random);
    } catch (error) {
      context.onBug(new Error(`${watched.name} failed.`, { cause: error }));
      return;
    } finally {
      context.watchdog.forget(watched);
    }
  }
}

/** Connects; tries again where the network may be the reason: a handshake does not survive a change of port (RFC 9000 §9),
 *  and is given up after some lost datagrams. */
async function connect(
  { transport, address, watchdog, totals }: ClientContext,
  random: Random,
): Promise<Connection> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      // All but the first continue a session; half of these do not wait for the handshake.
      const earlyData = random() < 0.5;
      return await transport.connect(address, { timeoutMs: CONNECT_TIMEOUT_MS, earlyData });
    } catch (error) {
      if (!watchdog.isLossy || attempt === ATTEMPTS_MAX) throw error;
      totals.retries += 1;
    }
  }
}

async function liveOnce(
  number: number,
  watched: Watched,
  context: ClientContext,
  random: Random,
): Promise<void> {
  const { plan, totals } = context;
  const connection = await watched.during('connecting', async () => connect(context, random));
  watched.client = connection;
  totals.connections += 1;
  void connection.handshakeComplete.then((isComplete) => {
    if (isComplete && connection.statistics().isResumed) totals.resumed += 1;
  });
  const life = new Life(connection, number, watched, context, random);
  await life.work('hello', 0);
  let left = logInteger(random, 1, plan.operationsMax);
  const keepWorking = async (): Promise<void> => {
    while (left > 0 && !life.isEnding && !context.isOver()) {
      left -= 1;
      await life.workOnce();
    }
  };
  const working = Array.from({ length: logInteger(random, 1, plan.concurrency) }, keepWorking);
  if (random() < 0.2) {
    // Ends in the middle of everything: what is under way fails, and nothing may hang.
    left = Math.floor(left * random());
    await Promise.race(working);
    life.isEnding = true;
  } else {
    await Promise.all(working);
    life.isEnding = true;
  }
  await watched.during('closing', async () =>
    connection.close(REASON, choose(random, [0, 100, 1000])),
  );
  await watched.during('ending what was cut off', async () => Promise.all(working));
}

/** What quiche 0.18 sends when it has no connection id left for the address that a client has moved to. */
const PROTOCOL_VIOLATION = 0x0a;
/** A server that gives up a handshake closes it as an application does, which QUIC turns into this (RFC 9000 §10.2.3). */
const APPLICATION_ERROR = 0x0c;

/**
 * Whether the network explains why a connection ended that nobody wanted to end: its handshake took too long, or its
 * client moved before the server had a spare id of it, or more than seven times. No loss explains that one end accuses the
 * other of an error.
 */
function isExcused(
  { by, message }: ConnectionClosed,
  { isMeeting }: Watched,
  { plan, watchdog }: Pick<ClientContext, 'plan' | 'watchdog'>,
): boolean {
  if (!watchdog.isLossy) return false;
  if (by === 'timeout') return plan.isMoving || isMeeting;
  if (by !== 'transport') return false;
  const code = /QUIC error (\d+)/.exec(message)?.[1];
  if (code === undefined) return !message.includes('TLS alert');
  const codes = plan.isMoving ? [APPLICATION_ERROR, PROTOCOL_VIOLATION] : [APPLICATION_ERROR];
  return codes.includes(Number(code));
}

/** The work on one connection. */
class Life {
  isEnding = false;
  readonly #connection: Connection;
  readonly #number: number;
  readonly #watched: Watched;
  readonly #context: ClientContext;
  readonly #random: Random;
  /** Those who wait for a stream of the server. */
  readonly #callBacks = new Map<number, Deferred<void>>();
  #callBacksMade = 0;

  constructor(
    connection: Connection,
    number: number,
    watched: Watched,
    context: ClientContext,
    random: Random,
  ) {
    this.#connection = connection;
    this.#number = number;
    this.#watched = watched;
    this.#context = context;
    this.#random = random;
    watched.onStall = () => {
      this.isEnding = true;
      void connection.close(REASON, 0);
    };
    connection.onStream = (stream) => {
      this.#receive(stream);
    };
    void connection.closed.then((ending) => {
      for (const { reject } of this.#callBacks.values()) reject(ending.error);
      if (this.isEnding) return;
      this.isEnding = true;
      if (isExcused(ending, watched, context)) context.totals.lost += 1;
      else context.onBug(new Error(`${watched.name} was ended by ${ending.by}: ${ending.message}`));
    });
  }

  async workOnce(): Promise<void> {
    const { plan } = this.#context;
    const kind = choose<Order['kind']>(this.#random, [
      ...(['exchange', 'exchange', 'exchange', 'slowReader', 'callBack'] as const),
      ...(plan.hasResets ? RESETS : []),
    ]);
    const lengthMax = kind === 'resetByOpener' ? RESET_BYTES_MAX : plan.messageBytesMax;
    const length = this.#random() < 0.1 ? 0 : logInteger(this.#random, 1, lengthMax);
    await this.work(kind, length);
  }

  async work(kind: Order['kind'], length: number): Promise<void> {
    const { plan, totals } = this.#context;
    const order: Order = {
      kind,
      length,
      answerLength: this.#random() < 0.5 ? logInteger(this.#random, 1, plan.messageBytesMax) : 0,
      offset: Math.floor(this.#random() * 60_000),
      connection: this.#number,
    };
    try {
      await this.#watched.during(`${kind} of ${length} bytes`, async () => this.#carryOut(order));
      totals.streams += 1;
    } catch (error) {
      if (error instanceof WrongBytes || this.#isUp) throw error;
    }
  }

  /** Whether streams have no reason to fail. What a connection is ended by is judged where its end is heard. */
  get #isUp(): boolean {
    return this.#connection.isOpen && !this.isEnding;
  }

  async #carryOut(order: Order): Promise<void> {
    const stream = await this.#connection.openStream({
      urgency: choose(this.#random, [127, 127, 0, 255]),
    });
    this.#watched.progress();
    const over = deferred<'ended' | 'reset'>();
    let answered = 0;
    readStream(stream, order.offset + 1, {
      onProgress: (bytes) => {
        answered += bytes;
        this.#progress(bytes);
      },
      onEnd: () => {
        over.resolve('ended');
      },
      onError: (error) => {
        if (order.kind === 'resetByPeer' && !(error instanceof WrongBytes)) over.resolve('reset');
        else over.reject(error);
      },
    });
    // Whoever waits for it comes later.
    over.promise.catch(() => undefined);
    if (order.kind === 'slowReader') pauseNowAndThen(stream, this.#random);
    if (order.kind === 'resetByOpener') {
      await this.#resetMidway(stream, order);
      return;
    }
    const called = order.kind === 'callBack' ? this.#expectCall() : undefined;
    const expected = ['callBack', 'hello', 'resetByPeer'].includes(order.kind)
      ? 0
      : order.answerLength;
    await sendOrder(
      stream,
      called === undefined
        ? { ...order, answerLength: expected }
        : { ...order, offset: called.key },
      this.#random,
    ).catch((error: unknown) => {
      // A stream that the server resets while it is written to fails here first.
      if (order.kind !== 'resetByPeer') throw error;
    });
    this.#context.totals.bytes += order.length;
    const outcome = await over.promise;
    if (outcome === 'ended' && order.kind !== 'resetByPeer' && answered !== expected) {
      throw new WrongBytes(`${answered} bytes of ${expected} came back.`);
    }
    if (outcome === 'reset') this.#context.totals.resets += 1;
    await called?.promise;
  }

  async #resetMidway(stream: Stream, order: Order): Promise<void> {
    const sending = sendOrder(stream, order, this.#random).catch(() => undefined);
    const turns = logInteger(this.#random, 1, 40);
    for (let count = 0; count < turns; count += 1) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    stream.reset(REASON);
    this.#context.totals.resets += 1;
    await sending;
  }

  /** A stream of the server comes with the key as its offset. */
  #expectCall(): { key: number; promise: Promise<void> } {
    this.#callBacksMade += 1;
    const key = this.#callBacksMade;
    const called = deferred();
    called.promise.catch(() => undefined);
    this.#callBacks.set(key, called);
    return { key, promise: called.promise };
  }

  #receive(stream: Stream): void {
    let order: Order | undefined;
    readStream(stream, undefined, {
      onOrder: (arrived) => {
        order = arrived;
      },
      onProgress: (bytes) => {
        this.#progress(bytes);
      },
      onEnd: (received) => {
        stream.end();
        if (order === undefined || received !== order.length) {
          this.#context.onBug(new WrongBytes(`${received} of ${order?.length} bytes were called.`));
          return;
        }
        this.#context.totals.streams += 1;
        this.#callBacks.get(order.offset)?.resolve();
        this.#callBacks.delete(order.offset);
      },
      onError: (error) => {
        if (this.#isUp || error instanceof WrongBytes) this.#context.onBug(error);
      },
    });
  }

  #progress(bytes: number): void {
    this.#context.totals.bytes += bytes;
    this.#watched.progress();
  }
}
