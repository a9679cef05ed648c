/** The core's clock beside that on the wall: what is written down must be understood by another life. */

/** See the head of this file. */
export interface WallClock {
  /** Of the event in hand, on the core's clock. */
  readonly nowMs: number;
  /** A time of the core's clock as wall-clock time. */
  toWallMs(ms: number): number;
  /** A wall-clock time as one of the core's clock; negative when it was before that began. */
  fromWallMs(wallMs: number): number;
}
