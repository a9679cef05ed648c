/** Measures how fast a connection carries bytes, by looking now and then while long writes wait for it. */
import type { Connection, Stream } from '../contract.ts';
import { LinkRate } from './judge.ts';

/** Writes shorter than this are over before they show how fast the link is. */
const MEASURED_BYTES_MIN = 256 * 1024;

const LOOK_MS = 20;

/** See the head of this file. One per connection. */
export class LinkMeter {
  readonly #connection: Connection;
  readonly #rate = new LinkRate();
  #writes = 0;
  #busySinceMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Bytes per millisecond; undefined while too little is known. */
  get bytesPerMs(): number | undefined {
    return this.#rate.bytesPerMs(performance.now());
  }

  /** Looks at the connection while a write of so many bytes waits for it. Settles as the write does. */
  async measure(stream: Stream, bytes: number, write: () => Promise<void>): Promise<void> {
    if (bytes < MEASURED_BYTES_MIN) return write();
    if (this.#writes === 0) this.#begin();
    this.#writes += 1;
    try {
      await write();
    } catch (error) {
      this.#end();
      throw error;
    }
    // The last mebibyte waits in the queue of the stream; whoever wrote it need not wait for that.
    const end = (): void => {
      this.#end();
    };
    void stream.drained().then(end, end);
  }

  #end(): void {
    this.#writes -= 1;
    if (this.#writes === 0) clearInterval(this.#timer);
  }

  #begin(): void {
    this.#busySinceMs = performance.now();
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      const { deliveredBytesPerMs } = this.#connection.statistics();
      this.#rate.note(deliveredBytesPerMs, nowMs - this.#busySinceMs, nowMs);
    }, LOOK_MS);
    this.#timer.unref();
  }
}
