/**
 * How large the datagrams of one connection may be: a packetization layer path MTU discovery (RFC 8899) whose probes
 * are datagrams of our own beside QUIC, because quiche 0.18 has none. Sizes above the safe one are used only after a
 * probe of that size was answered, and given up when packets of that size vanish ("black hole", RFC 8899 §4.3).
 *
 * Pure: told the time, answers and losses; asked for the size in use, the next probe, and when to ask again.
 */

/** A size is given up after so many probes without an answer (MAX_PROBES of RFC 8899 §5.1.2). */
const PROBES_PER_SIZE = 3;

/** The first wait for an answer; it doubles with each probe of a size. */
const PROBE_TIMEOUT_MS = 250;

/** How long to leave it at that before larger sizes are tried again (PMTU_RAISE_TIMER of RFC 8899 §5.1.1). */
const RAISE_AFTER_MS = 600_000;

/** Between a jumbo frame and an Ethernet frame; tunnels over jumbo frames carry about this. */
const MIDDLE_BYTES = 4096;
/** An Ethernet frame of 1,500 bytes without the headers of IPv4 and UDP. */
const ETHERNET_BYTES = 1472;

/** So many large packets must be lost, and so large a share of those sent, before the path is suspected. */
const LOSSES_MIN = 3;
const LOSS_SHARE = 0.5;
/** So many time-outs in a row without a word of the peer. */
const TIMEOUTS_MAX = 2;

/** The sizes that a connection may use. */
export interface PayloadRange {
  /** Bytes that every path surely carries, or that the user asked for. */
  readonly startBytes: number;
  /** Bytes to probe up to; equal to `startBytes` where nothing is probed. */
  readonly ceilingBytes: number;
}

/** See the head of this file. */
export class PathProbe {
  readonly #range: PayloadRange;
  #bytes: number;
  /** Sizes still to be tried, the largest first. */
  #candidates: number[] = [];
  #probesSent = 0;
  #dueAtMs = Infinity;
  #largeSent = 0;
  #lostBefore = 0;
  #timeouts = 0;

  constructor(range: PayloadRange) {
    this.#range = range;
    this.#bytes = range.startBytes;
  }

  /** Bytes of the largest datagram that may be sent now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When to call {@link poll}, on the clock of its argument; Infinity is never. */
  get dueAtMs(): number {
    return this.#dueAtMs;
  }

  /** Whether {@link noteLosses} should be called now and then: only sizes above the safe one can be given up. */
  get isSuspicious(): boolean {
    return this.#bytes > this.#range.startBytes;
  }

  /** The handshake is complete, or the path is another one: begins with the safe size. */
  begin(nowMs: number): void {
    this.#bytes = this.#range.startBytes;
    this.#tryAgainAt(nowMs);
  }

  /** The size of the probe to send now, if one is due. */
  poll(nowMs: number): number | undefined {
    if (nowMs < this.#dueAtMs) return undefined;
    if (this.#probesSent === PROBES_PER_SIZE) {
      this.#candidates.shift();
      this.#probesSent = 0;
    }
    const [size] = this.#candidates;
    if (size === undefined || size <= this.#bytes) {
      this.#tryAgainAt(nowMs + RAISE_AFTER_MS);
      return undefined;
    }
    this.#dueAtMs = nowMs + PROBE_TIMEOUT_MS * 2 ** this.#probesSent;
    this.#probesSent += 1;
    return size;
  }

  /** A probe of so many bytes arrived at the peer. */
  answered(size: number, nowMs: number): void {
    if (size <= this.#bytes || !this.#candidates.includes(size)) return;
    this.#bytes = size;
    this.#tryAgainAt(nowMs + RAISE_AFTER_MS);
  }

  /** So many datagrams above the safe size were sent since the last call. */
  noteSent(count: number): void {
    this.#largeSent += count;
  }

  /** Something of the peer arrived. */
  noteReceived(): void {
    this.#timeouts = 0;
  }

  /** A time-out of the loss detection passed without a word of the peer. */
  noteTimeout(nowMs: number): void {
    if (!this.isSuspicious || this.#largeSent === 0) return;
    this.#timeouts += 1;
    if (this.#timeouts >= TIMEOUTS_MAX) this.#fallBack(nowMs);
  }

  /** So many packets were lost since the connection began. */
  noteLosses(lost: number, nowMs: number): void {
    const recent = lost - this.#lostBefore;
    if (recent >= LOSSES_MIN && recent >= this.#largeSent * LOSS_SHARE) this.#fallBack(nowMs);
    this.#lostBefore = lost;
    this.#largeSent = 0;
  }

  #fallBack(nowMs: number): void {
    this.#bytes = this.#range.startBytes;
    this.#timeouts = 0;
    this.#largeSent = 0;
    this.#tryAgainAt(nowMs + RAISE_AFTER_MS);
  }

  /** Everything above the size in use is tried at that time. */
  #tryAgainAt(dueAtMs: number): void {
    const { ceilingBytes } = this.#range;
    this.#candidates = [ceilingBytes, MIDDLE_BYTES, ETHERNET_BYTES].filter(
      (size, index) => size > this.#bytes && (index === 0 || size < ceilingBytes),
    );
    this.#probesSent = 0;
    this.#dueAtMs = this.#candidates.length === 0 ? Infinity : dueAtMs;
  }
}
