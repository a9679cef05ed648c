/** What quiche says in texts and codes when something is wrong, as values: nobody else reads its texts. */

/** The peer abandoned a half of a stream. */
export class StreamGone {
  /** The peer's application error code; undefined when quiche has forgotten it already. */
  readonly wireCode: number | undefined;

  constructor(wireCode: number | undefined) {
    this.wireCode = wireCode;
  }
}

/** Why quiche ended a connection. */
export interface CloseFrame {
  readonly isApplication: boolean;
  readonly code: number;
  readonly reason: string;
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether quiche does not know a stream (yet, or any more). */
export function isUnknownStream(error: unknown): boolean {
  return messageOf(error).startsWith('InvalidStreamState');
}

/** What an error of a stream says about the peer. */
export function streamGone(error: unknown): StreamGone {
  const code = /^Stream(?:Reset|Stopped)\((\d+)\)/.exec(messageOf(error))?.[1];
  return new StreamGone(code === undefined ? undefined : Number(code));
}

/** A CONNECTION_CLOSE as quiche tells it. */
export function closeFrame(
  error: { isApp: boolean; errorCode: number; reason: Uint8Array } | null,
): CloseFrame | undefined {
  if (error === null) return undefined;
  const reason = Buffer.from(error.reason).toString('utf8');
  return { isApplication: error.isApp, code: error.errorCode, reason };
}
