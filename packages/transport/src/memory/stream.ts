/** One end of a stream inside the process: a queue towards the peer, and an inbox that the peer fills. */
import type { SwarmError } from '@quic-swarm/protocol';
import type { CloseReason, Connection, Stream } from '../contract.ts';
import {
  assertUrgency,
  callApplication,
  HIGH_WATER_BYTES,
  LOW_WATER_BYTES,
  streamReset,
  streamResetLocally,
  writeAfterEnd,
} from '../endings.ts';

/** What may lie in the inbox before the writer is held back. */
const WINDOW_BYTES = 1024 * 1024;

/** What one stream moves or delivers per turn. */
const TURN_BYTES = 256 * 1024;

/** The one buffer that `onData` sees; it is overwritten after each call, so that a kept view shows at once. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** What a stream needs from the connection that holds it. */
export interface MemoryStreamOwner extends Connection {
  /** The stream has something to move or to deliver: it gets a turn. */
  due(stream: MemoryStream): void;
  /** The stream is of no use any more. */
  settled(stream: MemoryStream): void;
  /** The other end, which the first byte, end or reset makes known to the peer. */
  peerStream(id: number): MemoryStream | undefined;
  countSent(bytes: number): void;
  /** This side closed the connection. */
  readonly isClosingHere: boolean;
  /** Why nothing may be written any more. */
  readonly refusal: SwarmError | undefined;
}

/** A stream inside the process. */
export class MemoryStream implements Stream {
  readonly id: number;
  readonly connection: MemoryStreamOwner;
  onEnd: (() => void) | undefined;
  onError: ((error: SwarmError) => void) | undefined;
  #urgency: number;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  readonly #inbox: Uint8Array[] = [];
  #inboxBytes = 0;
  #hasInboxEnd = false;
  #onData: ((bytes: Uint8Array) => void) | undefined;
  #isPaused = false;
  #isReadFinished = false;
  #isEnded = false;
  #isWriteFinished = false;
  #failure: SwarmError | undefined;
  /** The connection ended while bytes were held back here: the stream fails with this once they were read. */
  #lateFailure: SwarmError | undefined;
  readonly #drainWaiters: { resolve: () => void; reject: (error: SwarmError) => void }[] = [];

  constructor(id: number, urgency: number, connection: MemoryStreamOwner) {
    this.id = id;
    this.#urgency = urgency;
    this.connection = connection;
  }

  get urgency(): number {
    return this.#urgency;
  }

  set urgency(urgency: number) {
    assertUrgency(urgency);
    this.#urgency = urgency;
  }

  get onData(): ((bytes: Uint8Array) => void) | undefined {
    return this.#onData;
  }

  set onData(handler: ((bytes: Uint8Array) => void) | undefined) {
    this.#onData = handler;
    this.connection.due(this);
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Whether something written has not reached the peer. */
  get hasUnsent(): boolean {
    return this.#queuedBytes > 0 || (this.#isEnded && !this.#isWriteFinished);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.connection.due(this);
  }

  write(bytes: Uint8Array): boolean {
    const failure = this.#failure ?? this.connection.refusal;
    if (failure !== undefined) throw failure;
    if (this.#isEnded) throw writeAfterEnd(this.id);
    if (bytes.length > 0) {
      this.#queue.push(bytes);
      this.#queuedBytes += bytes.length;
      this.connection.due(this);
    }
    return this.#queuedBytes <= HIGH_WATER_BYTES;
  }

  async drained(): Promise<void> {
    const failure = this.#failure ?? this.#lateFailure;
    if (failure !== undefined) throw failure;
    if (this.#queuedBytes <= LOW_WATER_BYTES) return;
    await new Promise<void>((resolve, reject) => {
      this.#drainWaiters.push({ resolve, reject });
    });
  }

  end(): void {
    if (this.#isEnded || this.#failure !== undefined) return;
    this.#isEnded = true;
    this.connection.due(this);
  }

  reset(reason: CloseReason): void {
    if (this.#failure !== undefined || (this.#isReadFinished && this.#isWriteFinished)) return;
    const peer = this.connection.peerStream(this.id);
    this.#abandon(streamResetLocally(this.id, reason));
    setImmediate(() => peer?.fail(streamReset(this.id, reason.wireCode)));
  }

  /** Forgets what was not sent. */
  dropQueue(): void {
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#isEnded = this.#isWriteFinished;
  }

  /** Moves what is queued and delivers what arrived, a bounded amount. */
  turn(): void {
    this.#send();
    this.#deliver();
  }

  /** The stream cannot be used any more; the application learns of it. */
  fail(error: SwarmError): void {
    if (this.#failure !== undefined || (this.#isReadFinished && this.#isWriteFinished)) return;
    this.#abandon(error);
    callApplication(() => this.onError?.(error));
  }

  /** The connection is gone; what had arrived and is held back can still be read. */
  connectionEnded(error: SwarmError): void {
    while (this.#wantsBytes && (this.#inboxBytes > 0 || this.#hasInboxEnd)) this.#deliver();
    this.dropQueue();
    this.#lateFailure = error;
    for (const { reject } of this.#drainWaiters.splice(0)) reject(error);
    const hasUnread = this.#inboxBytes > 0 || this.#hasInboxEnd;
    if (!hasUnread || this.connection.isClosingHere) this.fail(error);
  }

  get #wantsBytes(): boolean {
    return (
      this.#onData !== undefined &&
      !this.#isPaused &&
      !this.#isReadFinished &&
      !this.connection.isClosingHere
    );
  }

  #send(): void {
    if (this.#isWriteFinished || (this.#queuedBytes === 0 && !this.#isEnded)) return;
    const peer = this.connection.peerStream(this.id);
    if (peer === undefined) return;
    let moved = 0;
    while (this.#queuedBytes > 0 && peer.#inboxBytes < WINDOW_BYTES && moved < TURN_BYTES) {
      const chunk = this.#queue.shift();
      if (chunk === undefined) break;
      const room = Math.min(WINDOW_BYTES - peer.#inboxBytes, chunk.length);
      if (room < chunk.length) this.#queue.unshift(chunk.subarray(room));
      peer.#inbox.push(Uint8Array.from(chunk.subarray(0, room)));
      peer.#inboxBytes += room;
      this.#queuedBytes -= room;
      moved += room;
    }
    this.connection.countSent(moved);
    if (this.#queuedBytes <= LOW_WATER_BYTES) {
      for (const { resolve } of this.#drainWaiters.splice(0)) resolve();
    }
    if (this.#queuedBytes === 0 && this.#isEnded) {
      this.#isWriteFinished = true;
      peer.#hasInboxEnd = true;
      if (this.#isReadFinished) this.connection.settled(this);
    } else if (this.#queuedBytes > 0 && peer.#inboxBytes < WINDOW_BYTES) {
      this.connection.due(this);
    }
    peer.connection.due(peer);
  }

  #deliver(): void {
    let delivered = 0;
    while (this.#wantsBytes && this.#failure === undefined && delivered < TURN_BYTES) {
      const chunk = this.#inbox.shift();
      if (chunk === undefined) break;
      const length = Math.min(chunk.length, scratch.length);
      if (length < chunk.length) this.#inbox.unshift(chunk.subarray(length));
      scratch.set(chunk.subarray(0, length));
      this.#inboxBytes -= length;
      delivered += length;
      callApplication(() => this.#onData?.(scratch.subarray(0, length)));
      scratch.fill(0xdd, 0, length);
    }
    if (this.#wantsBytes && this.#failure === undefined && this.#inboxBytes === 0) {
      if (this.#hasInboxEnd) this.#finishReading();
      else if (this.#lateFailure !== undefined) this.fail(this.#lateFailure);
    }
    if (delivered === 0) return;
    const peer = this.connection.peerStream(this.id);
    peer?.connection.due(peer);
    if (this.#inboxBytes > 0) this.connection.due(this);
  }

  #finishReading(): void {
    this.#isReadFinished = true;
    this.#hasInboxEnd = false;
    if (this.#isWriteFinished) this.connection.settled(this);
    callApplication(() => this.onEnd?.());
    if (this.#lateFailure !== undefined) this.fail(this.#lateFailure);
  }

  #abandon(error: SwarmError): void {
    this.#failure = error;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#inbox.length = 0;
    this.#inboxBytes = 0;
    for (const { reject } of this.#drainWaiters.splice(0)) reject(error);
    this.connection.settled(this);
  }
}
