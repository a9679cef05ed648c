/**
 * The requests that wait for an answer, in the order of their making. They hold the inputs of submissions until these
 * are acknowledged, so that a reconnect can send them again; therefore the bound in bytes.
 */
import { payloadOf } from '@quic-swarm/protocol';
import { ChurningMap } from './churning-map.ts';
import type { RequestMessage } from './events.ts';

/** One request that waits. */
export interface PendingRequest {
  readonly requestId: number;
  readonly message: RequestMessage;
  /** Infinity for none. */
  readonly deadlineMs: number;
  /** Made by the session itself, to watch a task again after a reconnect. */
  readonly isRewatch: boolean;
  /** Written to some connection, so the coordinator may have it. */
  wasSent: boolean;
  /** Written to a second connection, so an answer may have been lost with the first one. */
  wasRepeated: boolean;
}

/** The bounds of the requests that wait. */
export interface PendingBounds {
  readonly requestsMax: number;
  readonly bytesMax: number;
}

/** A table of requests. */
export class PendingRequests {
  readonly #bounds: PendingBounds;
  readonly #requests = new ChurningMap<number, PendingRequest>();
  #bytes = 0;
  // Never later than the earliest deadline, perhaps earlier: finding the exact one at each answer would cost more
  // than a timer that fires in vain.
  #nextDeadlineMs = Infinity;

  constructor(bounds: PendingBounds) {
    this.#bounds = bounds;
  }

  /** When `expire` should be called; Infinity when there is nothing to wait for. */
  get nextDeadlineMs(): number {
    return this.#requests.size === 0 ? Infinity : this.#nextDeadlineMs;
  }

  get size(): number {
    return this.#requests.size;
  }

  /** True when the message would go over a bound. A single one of any length is always taken. */
  isFullFor(message: RequestMessage): boolean {
    const { requestsMax, bytesMax } = this.#bounds;
    if (this.#requests.size >= requestsMax) return true;
    return this.#requests.size > 0 && this.#bytes + payloadBytesOf(message) > bytesMax;
  }

  add(message: RequestMessage, deadlineMs: number, isRewatch = false): PendingRequest {
    const { requestId } = message.body;
    const request = {
      requestId,
      message,
      deadlineMs,
      isRewatch,
      wasSent: false,
      wasRepeated: false,
    };
    if (this.#requests.size === 0) this.#nextDeadlineMs = Infinity;
    this.#requests.set(requestId, request);
    this.#bytes += payloadBytesOf(message);
    this.#nextDeadlineMs = Math.min(this.#nextDeadlineMs, deadlineMs);
    return request;
  }

  /** Removes a request, because it was answered or is not wanted any more. */
  take(requestId: number): PendingRequest | undefined {
    const request = this.#requests.get(requestId);
    if (request === undefined) return undefined;
    this.#requests.delete(requestId);
    this.#bytes -= payloadBytesOf(request.message);
    return request;
  }

  /** Removes those whose time is over. */
  expire(nowMs: number): PendingRequest[] {
    if (nowMs < this.nextDeadlineMs) return [];
    const expired: PendingRequest[] = [];
    this.#nextDeadlineMs = Infinity;
    for (const request of this.#requests.values()) {
      if (request.deadlineMs <= nowMs) expired.push(request);
      else this.#nextDeadlineMs = Math.min(this.#nextDeadlineMs, request.deadlineMs);
    }
    for (const { requestId } of expired) this.take(requestId);
    return expired;
  }

  /** Removes those that the session made itself: a new connection makes its own. */
  dropRewatches(): void {
    for (const { requestId, isRewatch } of this.#requests.values()) {
      if (isRewatch) this.take(requestId);
    }
  }

  /** All, in the order of their making. */
  all(): Iterable<PendingRequest> {
    return this.#requests.values();
  }

  /** Removes all, in the order of their making. */
  takeAll(): PendingRequest[] {
    const all = [...this.#requests.values()];
    this.#requests.clear();
    this.#bytes = 0;
    return all;
  }
}

function payloadBytesOf(message: RequestMessage): number {
  return payloadOf(message)?.length ?? 0;
}
