/** When to try again: a pure rule, and a small loop that follows it. */
import { SwarmError } from '@quic-swarm/protocol';
import { formatAddress } from './address.ts';
import type { Address, Connection, ConnectOptions, Transport } from './contract.ts';

/** How the pause between attempts grows. Full jitter: each pause is random from 0 to the present bound. */
export interface BackoffPolicy {
  /** The bound after the first failure. @default 100 */
  readonly initialMs: number;
  /** The bound grows by this factor. @default 2 */
  readonly factor: number;
  /** The bound never exceeds this. @default 5000 */
  readonly maxMs: number;
}

/** 100 ms, doubling, up to 5 s. */
export const DEFAULT_BACKOFF: BackoffPolicy = { initialMs: 100, factor: 2, maxMs: 5000 };

/**
 * The pause before the next attempt. `attempt` counts failures from 0; `random` is from 0 to 1 (1 excluded).
 * Full jitter spreads agents that lost the same coordinator at the same moment.
 */
export function nextDelayMs(
  attempt: number,
  random: number,
  policy: BackoffPolicy = DEFAULT_BACKOFF,
): number {
  // A large exponent is Infinity, which `min` turns into the bound.
  const bound = Math.min(policy.maxMs, policy.initialMs * policy.factor ** Math.max(0, attempt));
  return Math.floor(random * bound);
}

/** Options of {@link connectWithRetry}. */
export interface RetryOptions extends ConnectOptions {
  /** @default {@link DEFAULT_BACKOFF} */
  readonly policy?: BackoffPolicy;
  /** No attempt begins after so long; the last error is thrown. @default Infinity */
  readonly giveUpAfterMs?: number;
  /** Told of each failure before the pause. */
  readonly onRetry?: (error: SwarmError, delayMs: number) => void;
}

/**
 * Connects, and tries again while the error is retryable. Rejects with the last error, or CLOSED_LOCALLY when the
 * signal was raised.
 */
export async function connectWithRetry(
  transport: Transport,
  address: Address,
  options: RetryOptions = {},
): Promise<Connection> {
  const { policy = DEFAULT_BACKOFF, giveUpAfterMs = Infinity, onRetry, signal } = options;
  const startedMs = performance.now();
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await transport.connect(address, options);
    } catch (error) {
      if (!(error instanceof SwarmError) || !error.retryable) throw error;
      const delayMs = nextDelayMs(attempt, Math.random(), policy);
      if (performance.now() - startedMs + delayMs >= giveUpAfterMs) throw error;
      onRetry?.(error, delayMs);
      await pause(delayMs, signal, address);
    }
  }
}

async function pause(
  delayMs: number,
  signal: AbortSignal | undefined,
  address: Address,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timeout);
      const where = formatAddress(address);
      reject(
        new SwarmError('CLOSED_LOCALLY', `Connecting to ${where} was aborted.`, {
          cause: signal?.reason,
        }),
      );
    };
    const timeout = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}
