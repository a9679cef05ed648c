/**
 * One bidirectional stream. Writing: bytes queue here until quiche takes them, once per turn of the connection, many
 * small writes as one. Reading: the stream table calls `read` when quiche has bytes and the application wants them.
 *
 * A stream is settled, and then forgotten by the table, when both halves are finished or it failed.
 */
import type { SwarmError } from '@quic-swarm/protocol';
import type { CloseReason, Connection, Stream } from '../../contract.ts';
import {
  assertUrgency,
  callApplication,
  HIGH_WATER_BYTES,
  LOW_WATER_BYTES,
  streamReset,
  streamResetLocally,
  writeAfterEnd,
} from '../../endings.ts';
import type { QuicheConnection } from '../binding.ts';
import { StreamGone } from '../native-errors.ts';
import { WriteQueue } from './write-queue.ts';

/** What a stream needs from the table that holds it. */
export interface StreamOwner {
  readonly connection: Connection;
  readonly quiche: QuicheConnection;
  /** The stream may be read from now on: its handler was set or it was resumed. */
  wantsRead(stream: QuicStream): void;
  /** The stream must not be read: it was paused. */
  wantsNoRead(stream: QuicStream): void;
  /** The stream has something to hand over. */
  wantsWrite(stream: QuicStream): void;
  /** The peer finished its half and ours is idle: only asking quiche tells that the peer gave up on the answer. */
  awaitsWriter(stream: QuicStream): void;
  /** Puts the stream in its new place among those that write. */
  changeUrgency(stream: QuicStream, change: () => void): void;
  /** Abandons both halves of a stream that quiche knows. */
  shutDown(streamId: number, wireCode: number): void;
  /** The stream is to be reset as soon as quiche knows it. */
  resetWhenKnown(streamId: number, wireCode: number): void;
  /** The stream is of no use any more. */
  settled(stream: QuicStream): void;
  /** Why nothing may be written any more: the connection is ending. */
  readonly refusal: SwarmError | undefined;
}

/** How far a stream came with handing over what it has. */
export type WriteProgress = 'done' | 'blocked' | 'moved';

/** A stream over quiche. */
export class QuicStream implements Stream {
  readonly id: number;
  onEnd: (() => void) | undefined;
  onError: ((error: SwarmError) => void) | undefined;
  readonly #owner: StreamOwner;
  readonly #queue = new WriteQueue();
  #urgency: number;
  #onData: ((bytes: Uint8Array) => void) | undefined;
  #isPaused = false;
  /** The peer's last byte was read from quiche. */
  #hasReadAll = false;
  /** `onEnd` was called. */
  #isReadFinished = false;
  #isEnded = false;
  /** quiche took less than it was offered the last time. */
  #isBlocked = false;
  /** Everything including the end was taken by quiche. */
  #isWriteFinished = false;
  /** The queue was dropped: the stream failed or its connection ended. */
  #isCut = false;
  #failure: SwarmError | undefined;
  /** The peer's bytes or frames made the stream known to quiche (always so for our own). */
  #isKnown: boolean;
  readonly #drainWaiters: { resolve: () => void; reject: (error: SwarmError) => void }[] = [];

  constructor(id: number, urgency: number, isKnown: boolean, owner: StreamOwner) {
    this.id = id;
    this.#urgency = urgency;
    this.#isKnown = isKnown;
    this.#owner = owner;
  }

  get connection(): Connection {
    return this.#owner.connection;
  }

  get urgency(): number {
    return this.#urgency;
  }

  set urgency(urgency: number) {
    assertUrgency(urgency);
    if (urgency === this.#urgency) return;
    this.#owner.changeUrgency(this, () => {
      this.#urgency = urgency;
    });
  }

  get onData(): ((bytes: Uint8Array) => void) | undefined {
    return this.#onData;
  }

  set onData(handler: ((bytes: Uint8Array) => void) | undefined) {
    this.#onData = handler;
    if (this.wantsBytes) this.#owner.wantsRead(this);
    else this.#owner.wantsNoRead(this);
  }

  /** Whether bytes may be handed to the application now. */
  get wantsBytes(): boolean {
    return (
      this.#onData !== undefined &&
      !this.#isPaused &&
      !this.#isReadFinished &&
      this.#failure === undefined
    );
  }

  /** Whether the application holds bytes back that it may want later. */
  get isHeldBack(): boolean {
    return (this.#onData === undefined || this.#isPaused) && !this.#isReadFinished;
  }

  /** Whether both halves are finished or the stream failed. */
  get isSettled(): boolean {
    return this.#failure !== undefined || (this.#isReadFinished && this.#isWriteFinished);
  }

  /** Whether it was reset or lost with its connection. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Where the stream stands; for logs and watchdogs. */
  get diagnosis(): string {
    const flags = {
      paused: this.#isPaused,
      heldBack: this.isHeldBack,
      readAll: this.#hasReadAll,
      known: this.#isKnown,
      ended: this.#isEnded,
      written: this.#isWriteFinished,
      blocked: this.#isBlocked,
    };
    const set = Object.entries(flags).flatMap(([name, isSet]) => (isSet ? [name] : []));
    return `${this.id}: ${this.#queue.bytes} queued ${set.join(' ')}`;
  }

  pause(): void {
    this.#isPaused = true;
    this.#owner.wantsNoRead(this);
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.wantsBytes) this.#owner.wantsRead(this);
  }

  write(bytes: Uint8Array): boolean {
    const failure = this.#failure ?? this.#owner.refusal;
    if (failure !== undefined) throw failure;
    if (this.#isEnded) throw writeAfterEnd(this.id);
    if (bytes.length > 0) {
      this.#queue.push(bytes);
      this.#owner.wantsWrite(this);
    }
    return this.#queue.bytes <= HIGH_WATER_BYTES;
  }

  async drained(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isCut) throw this.#owner.refusal ?? writeAfterEnd(this.id);
    if (this.#queue.bytes <= LOW_WATER_BYTES) return;
    await new Promise<void>((resolve, reject) => {
      this.#drainWaiters.push({ resolve, reject });
    });
  }

  end(): void {
    if (this.#isEnded || this.#failure !== undefined) return;
    this.#isEnded = true;
    this.#owner.wantsWrite(this);
  }

  reset(reason: CloseReason): void {
    if (this.isSettled) return;
    if (this.#isKnown) this.#owner.shutDown(this.id, reason.wireCode);
    else this.#owner.resetWhenKnown(this.id, reason.wireCode);
    this.#abandon(streamResetLocally(this.id, reason));
  }

  /** Reads about `budgetBytes`. True: there is more to read. */
  read(scratch: Uint8Array, budgetBytes: number): boolean {
    let taken = 0;
    while (this.wantsBytes && !this.#hasReadAll) {
      const result = this.#owner.quiche.streamReceive(this.id, scratch);
      // A stream that a later one made known has no bytes yet: it is there for us only.
      if (result === undefined || (result === 'unknown' && !this.#isKnown)) return false;
      this.#isKnown = true;
      if (result === 'unknown') {
        this.fail(streamReset(this.id, undefined));
        return false;
      }
      if (result instanceof StreamGone) {
        // quiche has stopped our half only if the peer's STOP_SENDING was not lost.
        this.#peerGone(result);
        return false;
      }
      const [length, isLast] = result;
      this.#hasReadAll = isLast;
      if (length > 0) callApplication(() => this.#onData?.(scratch.subarray(0, length)));
      taken += length;
      if (taken >= budgetBytes && !isLast) return true;
      // quiche gives all it has in a row, so a buffer that is not full was the last of it.
      if (length < scratch.length && !isLast) return false;
    }
    if (this.#hasReadAll && this.wantsBytes) this.#finishReading();
    return false;
  }

  /** Hands over what is queued, as far as quiche takes it. */
  flush(): WriteProgress {
    let hasMoved = false;
    while (this.#failure === undefined && !this.#isWriteFinished) {
      if (this.#queue.bytes === 0 && !this.#isEnded) break;
      // A call that can take nothing makes quiche tell the peer that it is blocked (RFC 9000 §19.12), whose answer would
      // be the occasion for the next such call: thousands of datagrams a second that say nothing.
      if (this.#isBlocked && this.#queue.bytes > 0) {
        if (this.#owner.quiche.streamCapacity(this.id) === 0) return this.#blocked(hasMoved);
      }
      const bytes = this.#queue.head();
      const isLast = this.#isEnded && bytes.length === this.#queue.bytes;
      const taken = this.#owner.quiche.streamSend(this.id, bytes, isLast);
      if (taken === 'unknown' && !this.#isKnown) return 'blocked';
      if (typeof taken !== 'number') {
        this.#peerGone(taken === 'unknown' ? new StreamGone(undefined) : taken);
        return 'done';
      }
      this.#queue.drop(taken);
      this.#isBlocked = taken < bytes.length;
      if (taken > 0) hasMoved = true;
      if (taken < bytes.length) return this.#blocked(hasMoved);
      // An end without bytes is taken even where flow control would take no byte.
      if (isLast) this.#finishWriting();
    }
    this.#releaseDrainWaiters();
    this.#noteIdleHalf();
    return 'done';
  }

  /** Asks whether the peer gave up on our half. */
  checkStopped(): void {
    const gone = this.#owner.quiche.streamStopped(this.id);
    if (gone !== undefined) this.#peerGone(gone);
  }

  /** The peer or the connection ended the stream; the application learns of it. */
  fail(error: SwarmError): void {
    if (this.#failure !== undefined) return;
    this.#abandon(error);
    callApplication(() => this.onError?.(error));
  }

  /** The connection is gone: nothing can be written; what had arrived and is held back can still be read. */
  connectionEnded(error: SwarmError): void {
    this.#cut(error);
    const hasUnread = this.#hasReadAll || this.#owner.quiche.streamReadable(this.id);
    if (!this.isHeldBack || !hasUnread) this.fail(error);
  }

  /** The peer abandoned one half: by the contract it abandoned both. */
  #peerGone(gone: StreamGone): void {
    this.#owner.shutDown(this.id, gone.wireCode ?? 0);
    this.fail(streamReset(this.id, gone.wireCode));
  }

  #cut(error: SwarmError): void {
    this.#isCut = true;
    this.#queue.clear();
    for (const { reject } of this.#drainWaiters.splice(0)) reject(error);
  }

  #abandon(error: SwarmError): void {
    this.#failure = error;
    this.#cut(error);
    this.#owner.settled(this);
  }

  #blocked(hasMoved: boolean): WriteProgress {
    this.#releaseDrainWaiters();
    return hasMoved ? 'moved' : 'blocked';
  }

  #finishReading(): void {
    this.#isReadFinished = true;
    this.#owner.wantsNoRead(this);
    if (this.#isWriteFinished) this.#owner.settled(this);
    else this.#noteIdleHalf();
    callApplication(() => this.onEnd?.());
  }

  #finishWriting(): void {
    this.#isWriteFinished = true;
    if (this.#isReadFinished) this.#owner.settled(this);
  }

  #noteIdleHalf(): void {
    if (this.#isReadFinished && !this.#isEnded && this.#queue.bytes === 0) {
      this.#owner.awaitsWriter(this);
    }
  }

  #releaseDrainWaiters(): void {
    if (this.#drainWaiters.length === 0 || this.#queue.bytes > LOW_WATER_BYTES) return;
    for (const { resolve } of this.#drainWaiters.splice(0)) resolve();
  }
}
