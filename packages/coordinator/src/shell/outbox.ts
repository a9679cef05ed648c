/**
 * What was said to one peer on the streams that carry many messages, until the end of the turn: then all messages of a
 * stream leave in one piece.
 */
import { FrameBatch, type Message } from '@quic-swarm/protocol';
import type { Stream } from '@quic-swarm/transport';

/** The streams that carry many messages. */
export type SharedStream = 'control' | 'dispatch' | 'client';

const SHARED_STREAMS: readonly SharedStream[] = ['control', 'dispatch', 'client'];

/** A peer that submits so much without opening the stream for the answers does not want them. */
const EARLY_MESSAGES_MAX = 1024;

/** So long a receipt waits for something that travels with it. */
const RECEIPTS_WITHIN_MS = 2;

/** One for all peers: what is added is taken at once. */
const batch = new FrameBatch();

/** What an outbox needs of its peer. */
export interface OutboxOwner {
  readonly stream: (on: SharedStream) => Stream | undefined;
  /** Whether the peer is being told why its connection ends: then bounds do not count any more. */
  readonly isFailing: () => boolean;
  /** So many bytes wait, and that is too much. */
  readonly onSlow: (queuedBytes: number) => void;
  /** Bytes that may wait on one stream. */
  readonly bytesMax: number;
}

/** See the head of this file. */
export class Outbox {
  readonly #owner: OutboxOwner;
  readonly #waiting: Record<SharedStream, Message[] | undefined> = {
    control: undefined,
    dispatch: undefined,
    client: undefined,
  };
  #isQueued = false;
  #receiptTimer: NodeJS.Timeout | undefined;

  constructor(owner: OutboxOwner) {
    this.#owner = owner;
  }

  /** Keeps a message for the next {@link flush}. True: it is the first that waits for it. */
  add(on: SharedStream, message: Message): boolean {
    const waiting = this.#waiting[on];
    if (waiting === undefined) this.#waiting[on] = [message];
    else waiting.push(message);
    if (this.#isQueued) return false;
    if (message.type === 'MessageAck' && on === 'dispatch') {
      // An agent does not wait for its receipts, and the next task for it often comes at once: one datagram for both.
      this.#receiptTimer ??= setTimeout(this.#flushReceipts, RECEIPTS_WITHIN_MS);
      return false;
    }
    this.#isQueued = true;
    return true;
  }

  /** Writes what waits. */
  flush(): void {
    this.#isQueued = false;
    for (const on of SHARED_STREAMS) {
      const messages = this.#waiting[on];
      if (messages !== undefined) this.#write(on, messages);
    }
  }

  /** Drops what waits for a stream. */
  drop(on: SharedStream): void {
    this.#waiting[on] = undefined;
  }

  /** Nothing will be written any more. */
  stop(): void {
    clearTimeout(this.#receiptTimer);
    for (const on of SHARED_STREAMS) this.drop(on);
  }

  readonly #flushReceipts = (): void => {
    this.#receiptTimer = undefined;
    this.flush();
  };

  #write(on: SharedStream, messages: readonly Message[]): void {
    const { stream: streamOf, isFailing, onSlow, bytesMax } = this.#owner;
    const stream = streamOf(on);
    // Without a stream: answers to a large message, whose own stream overtook the opening of the shared one.
    if (stream === undefined && !isFailing()) {
      if (messages.length > EARLY_MESSAGES_MAX) onSlow(0);
      return;
    }
    this.drop(on);
    if (stream === undefined) return;
    try {
      for (const message of messages) batch.add(message);
      for (const bytes of batch.take()) {
        if (stream.queuedBytes > bytesMax && !isFailing()) {
          onSlow(stream.queuedBytes);
          return;
        }
        stream.write(bytes);
      }
    } catch {
      // The stream ended under our hands; its connection reports how.
      batch.take();
    }
  }
}
