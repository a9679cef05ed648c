/**
 * A connection with QUIC's semantics, at the level of messages on streams. What can happen to it:
 *
 * - Within a stream messages arrive in order and once; different streams overtake each other.
 * - A side closes it: in good order, so that what was said before arrives first, or at once. The other side hears of it
 *   when the closing packet arrives, which may be lost; then it hears with its next sign of life, or by its idle timeout.
 * - A process dies without a word: the other side hears of it by its idle timeout or its own patience, or, when the
 *   process was started again, by a stateless reset.
 * - The path is cut: both sides find out for themselves, each by its idle timeout.
 *
 * Lost, repeated and reordered datagrams are not seen here but as delay, which is all that QUIC lets through of them; a
 * change of address is not seen at all.
 */
import { failure, type Failure, type Message } from '@quic-swarm/protocol';
import type { Life } from './life.ts';
import { otherSide, type Path, type Side } from './path.ts';
import { SimulatedStream } from './simulated-stream.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Defaults of the transport: QUIC's idle timeout, and a sign of life after a third of it. */
export const IDLE_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 3333;

/** What one side hears. */
export interface ConnectionListener {
  onMessage(message: Message, stream: string): void;
  /** Once, last. */
  onEnded(reason: Failure): void;
}

/** One side of a connection. */
interface End {
  readonly life: Life;
  listener: ConnectionListener;
  isOpen: boolean;
  /** It has heard of the end, or needs not. */
  hasEnded: boolean;
  lastHeardMs: number;
  readonly outgoing: Map<string, SimulatedStream>;
}

/** What the process that closes has to say. */
interface Closing {
  readonly by: Side;
  readonly reason: Failure;
}

/** How a connection is made. */
export interface ConnectionOptions {
  readonly connectionId: string;
  readonly clock: VirtualClock;
  readonly path: Path;
  readonly lives: Readonly<Record<Side, Life>>;
  readonly listeners: Readonly<Record<Side, ConnectionListener>>;
  /** Told of each message that arrives, before the one it is for. */
  readonly onArrival: (from: Side, message: Message, stream: string) => void;
  /** A process that was started again answers for its former life. */
  readonly mayReset: () => boolean;
}

/** See the head of this file. */
export class SimulatedConnection {
  readonly connectionId: string;
  readonly #options: ConnectionOptions;
  readonly #ends: Readonly<Record<Side, End>>;
  #closing: Closing | undefined;
  #ownStreams = 0;
  readonly #stopListening: () => void;

  constructor(options: ConnectionOptions) {
    this.connectionId = options.connectionId;
    this.#options = options;
    const { lives, listeners, clock, path } = options;
    const endOf = (side: Side): End => ({
      life: lives[side],
      listener: listeners[side],
      isOpen: true,
      hasEnded: false,
      lastHeardMs: clock.nowMs,
      outgoing: new Map(),
    });
    this.#ends = { dialler: endOf('dialler'), listener: endOf('listener') };
    this.#stopListening = path.onHealed(() => this.#healed());
    this.#watch();
  }

  isOpen(side: Side): boolean {
    return this.#ends[side].isOpen;
  }

  /** Sends on a shared stream, or on one of its own when the stream's name is undefined. */
  send(side: Side, stream: string | undefined, message: Message): void {
    const end = this.#ends[side];
    if (!end.isOpen) return;
    this.#streamOf(side, stream ?? this.#newStream()).send(message);
  }

  /** Ends it. What was said before has so long to arrive; the other side hears the reason. */
  close(side: Side, reason: Failure, flushMs: number): void {
    const end = this.#ends[side];
    if (!end.isOpen) return;
    end.isOpen = false;
    this.#closing ??= { by: side, reason };
    const { clock, path } = this.#options;
    const arrivesAtMs = Math.max(
      clock.nowMs + path.transitMs(),
      Math.min(this.#flushedAtMs(side), clock.nowMs + flushMs),
    );
    clock.at(arrivesAtMs, () => {
      for (const stream of end.outgoing.values()) stream.drop();
      if (!path.isCutFrom(side)) this.#tellClosed(otherSide(side));
    });
    const own = failure('CLOSED_LOCALLY', reason.message);
    this.#end(side, own);
  }

  /** The process is gone without a word. */
  abandon(side: Side): void {
    const end = this.#ends[side];
    end.isOpen = false;
    end.hasEnded = true;
    for (const stream of end.outgoing.values()) stream.drop();
  }

  #newStream(): string {
    this.#ownStreams += 1;
    return `task ${this.#ownStreams}`;
  }

  #streamOf(side: Side, name: string): SimulatedStream {
    const { outgoing } = this.#ends[side];
    const known = outgoing.get(name);
    if (known !== undefined) return known;
    const { clock, path } = this.#options;
    const isOwn = name.startsWith('task ');
    const deliver = (message: Message): void => {
      if (isOwn) outgoing.delete(name);
      this.#arrive(side, message, name);
    };
    const stream = new SimulatedStream({ clock, path, sender: side, deliver });
    outgoing.set(name, stream);
    return stream;
  }

  #arrive(from: Side, message: Message, stream: string): void {
    const { clock, path, onArrival } = this.#options;
    const receiver = this.#ends[otherSide(from)];
    if (!receiver.isOpen) {
      this.#answerForTheDead(from);
      return;
    }
    if (receiver.life.isAwake) {
      receiver.lastHeardMs = clock.nowMs;
      // The acknowledgement is a sign of life.
      if (!path.isCutFrom(otherSide(from))) this.#ends[from].lastHeardMs = clock.nowMs;
    }
    receiver.life.receive(() => {
      if (!receiver.isOpen) return;
      onArrival(from, message, stream);
      receiver.listener.onMessage(message, stream);
    });
  }

  /** A packet came for a connection that is over there. */
  #answerForTheDead(from: Side): void {
    const { path, clock, mayReset } = this.#options;
    if (path.isCutFrom(otherSide(from)) || this.#ends[from].hasEnded) return;
    if (this.#closing !== undefined && this.#closing.by !== from) {
      clock.after(path.transitMs(), () => this.#tellClosed(from));
    } else if (from === 'dialler' && mayReset()) {
      const message = 'The process does not know the connection any more (stateless reset).';
      clock.after(path.transitMs(), () => this.#end(from, failure('CONNECTION_LOST', message)));
    }
  }

  #tellClosed(side: Side): void {
    const { reason } = this.#closing ?? {};
    if (reason !== undefined) this.#end(side, reason);
  }

  #end(side: Side, reason: Failure): void {
    const end = this.#ends[side];
    if (end.hasEnded) return;
    end.hasEnded = true;
    end.isOpen = false;
    if (end.life.isAlive) {
      // Not from inside of what the process is just doing.
      this.#options.clock.after(0, () => {
        end.life.receive(() => end.listener.onEnded(reason));
      });
    }
    if (this.#ends[otherSide(side)].hasEnded) this.#stopListening();
  }

  #flushedAtMs(side: Side): number {
    let flushedAtMs = 0;
    for (const stream of this.#ends[side].outgoing.values()) {
      flushedAtMs = Math.max(flushedAtMs, stream.flushedAtMs);
    }
    return flushedAtMs;
  }

  #healed(): void {
    for (const { outgoing } of Object.values(this.#ends)) {
      for (const stream of outgoing.values()) stream.healed();
    }
  }

  /** Signs of life, and what follows when there are none. */
  #watch(): void {
    this.#options.clock.after(KEEP_ALIVE_MS, () => {
      for (const side of ['dialler', 'listener'] as const) this.#keepAlive(side);
      for (const side of ['dialler', 'listener'] as const) this.#endIfIdle(side);
      if (!this.#ends.dialler.hasEnded || !this.#ends.listener.hasEnded) this.#watch();
    });
  }

  #keepAlive(side: Side): void {
    const { clock, path } = this.#options;
    const [own, other] = [this.#ends[side], this.#ends[otherSide(side)]];
    if (!own.isOpen || !own.life.isAwake || path.isCutFrom(side)) return;
    if (!other.isOpen) {
      this.#answerForTheDead(side);
      return;
    }
    if (!other.life.isAwake) return;
    other.lastHeardMs = clock.nowMs;
    if (!path.isCutFrom(otherSide(side))) own.lastHeardMs = clock.nowMs;
  }

  #endIfIdle(side: Side): void {
    const end = this.#ends[side];
    if (end.hasEnded || this.#options.clock.nowMs - end.lastHeardMs < IDLE_TIMEOUT_MS) return;
    const message = `Nothing was heard from the peer for ${IDLE_TIMEOUT_MS} ms.`;
    this.#end(side, failure('IDLE_TIMEOUT', message));
  }
}
