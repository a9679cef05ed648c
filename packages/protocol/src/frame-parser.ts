/** Frames out of a stream of bytes, for those who do not want whole messages: see frame-cutter.ts for how. */
import { FrameCutter } from './frame-cutter.ts';
import type { MessageType } from './message-table.ts';

/**
 * Receives one frame. An owned body is a copy that belongs to the receiver; any other one lies in the bytes that were
 * pushed and must be read before the call returns.
 */
export type OnFrame = (type: MessageType, body: Uint8Array, owned: boolean) => void;

/** A push parser: bytes in, frames out, errors thrown out of {@link FrameParser.push}. */
export class FrameParser {
  readonly #cutter: FrameCutter;

  constructor(onFrame: OnFrame) {
    this.#cutter = new FrameCutter((type, bytes, start, end, owned) => {
      onFrame(type, bytes.subarray(start, end), owned);
    });
  }

  /** Longest frame, on top of the bound of each message type; lowered before the peer is known. */
  set frameBytesMax(bytes: number) {
    this.#cutter.frameBytesMax = bytes;
  }

  /** Feeds bytes, which may be reused afterwards. Throws BAD_FRAME or FRAME_TOO_LARGE; the stream is lost then. */
  push(bytes: Uint8Array): void {
    this.#cutter.push(bytes);
  }

  /** Call when the stream has ended; throws BAD_FRAME when it ended inside a frame. */
  end(): void {
    this.#cutter.end();
  }
}
