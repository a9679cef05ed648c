/**
 * Notices that nothing was heard for a while although something is awaited. A client that only waits says nothing, and who
 * says nothing hears nothing when its address has changed on the way (the answers go to the old one), or when the
 * coordinator was started again and does not know it. QUIC's own sign of life comes too late for that: after a third of the
 * idle timeout, 3.3 s. So the client asks.
 */

/** Far more than the pause between two answers of a coordinator that has something to say, and little to wait for a person. */
const SILENCE_MS = 1000;

/** See the head of this file. */
export class Silence {
  #dueAtMs = Infinity;

  /** When to ask; Infinity after a question that was not answered, since QUIC repeats what is not acknowledged. */
  get dueAtMs(): number {
    return this.#dueAtMs;
  }

  /** Something was heard. */
  begin(nowMs: number): void {
    this.#dueAtMs = nowMs + SILENCE_MS;
  }

  /** A question is on its way, or there is nobody to ask. */
  end(): void {
    this.#dueAtMs = Infinity;
  }
}
