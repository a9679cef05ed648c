/** Takes the times of new connections, the same way for every peer. */
import type { ConnectTimes } from './contract.ts';

/** What each connection is asked first; its first byte asks byte streams to echo. */
export const FIRST_MESSAGE: Uint8Array = new Uint8Array(256).fill(1);

/** A connection that was just made. */
export interface FreshConnection {
  /** Asks `FIRST_MESSAGE`; resolves when the whole answer has come. */
  ask(): Promise<void>;
  close(): Promise<void> | void;
  /** Whether a session of an earlier connection was taken up. @default false */
  readonly isResumed?: () => boolean;
}

/** Connects, asks and closes. */
export async function timeConnect(connect: () => Promise<FreshConnection>): Promise<ConnectTimes> {
  const startMs = performance.now();
  const connection = await connect();
  const connectedMs = performance.now() - startMs;
  await connection.ask();
  const firstAnswerMs = performance.now() - startMs;
  const isResumed = connection.isResumed?.() ?? false;
  await connection.close();
  return { connectedMs, firstAnswerMs, isResumed };
}
