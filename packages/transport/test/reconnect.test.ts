import { SwarmError } from '@quic-swarm/protocol';
import {
  connectWithRetry,
  DEFAULT_BACKOFF,
  MemoryNetwork,
  nextDelayMs,
  type Transport,
} from '@quic-swarm/transport';
import { describe, expect, it } from 'vitest';

const ADDRESS = { host: '127.0.0.1', port: 5000 } as const;
const AT_ONCE = { initialMs: 1, factor: 1, maxMs: 1 } as const;

describe('nextDelayMs', () => {
  it('doubles the bound up to five seconds', () => {
    const bounds = [0, 1, 2, 3, 4, 5, 6, 7, 50, 5000].map((attempt) =>
      nextDelayMs(attempt, 0.99999),
    );
    expect(bounds).toEqual([99, 199, 399, 799, 1599, 3199, 4999, 4999, 4999, 4999]);
  });

  it('is random over the whole bound', () => {
    expect([0, 0.25, 0.5].map((random) => nextDelayMs(1, random))).toEqual([0, 50, 100]);
    expect(nextDelayMs(2, 0.5, { ...DEFAULT_BACKOFF, factor: 3 })).toBe(450);
  });
});

describe('connectWithRetry', () => {
  it('connects once somebody listens', async () => {
    const transport = new MemoryNetwork().transport();
    const errors: string[] = [];
    const connection = await connectWithRetry(transport, ADDRESS, {
      policy: AT_ONCE,
      onRetry: (error) => {
        errors.push(error.type);
        if (errors.length === 3) {
          void transport.listen({ address: ADDRESS, onConnection: () => undefined });
        }
      },
    });
    expect(connection.isOpen).toBe(true);
    expect(errors.slice(0, 3)).toEqual(['CONNECT_FAILED', 'CONNECT_FAILED', 'CONNECT_FAILED']);
  });

  it('gives up on an error that will not go away', async () => {
    const transport = failing(new SwarmError('BAD_CERTIFICATE', 'not you'));
    await expect(connectWithRetry(transport, ADDRESS)).rejects.toMatchObject({
      type: 'BAD_CERTIFICATE',
    });
    expect(transport.attempts).toBe(1);
  });

  it('gives up when the time is over, with the last error', async () => {
    const transport = failing(new SwarmError('CONNECT_FAILED', 'nobody'));
    const connecting = connectWithRetry(transport, ADDRESS, { policy: AT_ONCE, giveUpAfterMs: 30 });
    await expect(connecting).rejects.toMatchObject({ type: 'CONNECT_FAILED' });
    expect(transport.attempts).toBeGreaterThan(1);
  });

  it('stops in a pause when it is aborted', async () => {
    const transport = failing(new SwarmError('CONNECT_FAILED', 'nobody'));
    const controller = new AbortController();
    const connecting = connectWithRetry(transport, ADDRESS, {
      signal: controller.signal,
      policy: { initialMs: 1e8, factor: 1, maxMs: 1e8 },
      onRetry: () => {
        setImmediate(() => {
          controller.abort();
        });
      },
    });
    await expect(connecting).rejects.toMatchObject({ type: 'CLOSED_LOCALLY' });
    expect(transport.attempts).toBe(1);
  });
});

function failing(error: SwarmError): Transport & { attempts: number } {
  const fail = async (): Promise<never> => {
    transport.attempts += 1;
    throw error;
  };
  const transport = { name: 'memory' as const, attempts: 0, listen: fail, connect: fail };
  return transport;
}
