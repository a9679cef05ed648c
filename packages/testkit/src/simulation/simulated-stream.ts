/**
 * One direction of one stream: what is sent arrives once and in order, each message as soon as it and all before it are
 * there. While the path is cut nothing arrives; QUIC sends it again when the path has healed.
 */
import type { Message } from '@quic-swarm/protocol';
import type { Path, Side } from './path.ts';
import type { Alarm, VirtualClock } from './virtual-clock.ts';

/** What a stream is made of. */
export interface StreamOptions {
  readonly clock: VirtualClock;
  readonly path: Path;
  readonly sender: Side;
  readonly deliver: (message: Message) => void;
}

/** See the head of this file. */
export class SimulatedStream {
  readonly #options: StreamOptions;
  readonly #unarrived: { readonly message: Message; readyAtMs: number }[] = [];
  #alarm: Alarm | undefined;
  #isStalled = false;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  /** When all that was sent so far will have arrived, as it stands. */
  get flushedAtMs(): number {
    let flushedAtMs = 0;
    for (const { readyAtMs } of this.#unarrived) flushedAtMs = Math.max(flushedAtMs, readyAtMs);
    return flushedAtMs;
  }

  get isEmpty(): boolean {
    return this.#unarrived.length === 0;
  }

  send(message: Message): void {
    const { clock, path } = this.#options;
    this.#unarrived.push({ message, readyAtMs: clock.nowMs + path.transitMs() });
    if (this.#unarrived.length === 1) this.#arm();
  }

  /** What has not arrived never will. */
  drop(): void {
    this.#alarm?.cancel();
    this.#unarrived.length = 0;
  }

  /** The path has healed: the first message is tried again, the others wait behind it. */
  healed(): void {
    const [first] = this.#unarrived;
    if (!this.#isStalled || first === undefined) return;
    this.#isStalled = false;
    const { clock, path } = this.#options;
    first.readyAtMs = clock.nowMs + path.transitMs();
    this.#arm();
  }

  #arm(): void {
    const [first] = this.#unarrived;
    if (first === undefined) return;
    this.#alarm = this.#options.clock.at(first.readyAtMs, () => this.#arrive());
  }

  #arrive(): void {
    const { path, sender, deliver, clock } = this.#options;
    if (path.isCutFrom(sender)) {
      this.#isStalled = true;
      return;
    }
    for (;;) {
      const [first] = this.#unarrived;
      if (first === undefined) return;
      if (first.readyAtMs > clock.nowMs) break;
      this.#unarrived.shift();
      deliver(first.message);
    }
    this.#arm();
  }
}
