/** Sessions: who continues one, what may travel before the handshake is complete, and what happens when it may not. */
import {
  createSelfSignedCertificate,
  MemorySessionStore,
  type Connection,
  type Listener,
  type ListenOptions,
  type QuicTransportOptions,
  type SessionStore,
} from '@quic-swarm/transport';
import { ask, readAll, send, serveEcho, until } from '@quic-swarm/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TicketKey } from '../src/quic/sessions.ts';
import { sessionKeyOf } from '../src/quic/trust.ts';
import {
  agentIdentity,
  authority,
  connecting,
  identity,
  serverIdentity,
  serving,
  tap,
  trust,
} from './quic-pair.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 } as const;

type ServerOptions = Parameters<typeof serving>[0] & Partial<ListenOptions>;

async function listening(options: ServerOptions = {}): Promise<Listener> {
  const { address = LOOPBACK, acceptEarlyData = true, onConnection = serveEcho, ...rest } = options;
  const listener = await serving(rest).listen({ address, acceptEarlyData, onConnection });
  onTestFinished(async () => listener.close());
  return listener;
}

/** A store that tells how many tickets came. */
class WatchedStore implements SessionStore {
  readonly #inner = new MemorySessionStore();
  stored = 0;

  get(key: string): Uint8Array | undefined {
    return this.#inner.get(key);
  }
  set(key: string, session: Uint8Array): void {
    this.stored += 1;
    this.#inner.set(key, session);
  }
  delete(key: string): void {
    this.#inner.delete(key);
  }
}

/** Connects once and hangs up when the ticket is there. */
async function visit(
  listener: Listener,
  store: WatchedStore,
  options: Partial<QuicTransportOptions> = {},
): Promise<void> {
  const before = store.stored;
  const first = await connecting({ sessions: store, ...options }).connect(listener.address);
  await until(() => store.stored > before);
  await first.close();
}

async function comeBack(
  listener: Listener,
  store: SessionStore,
  options: Partial<QuicTransportOptions> = {},
): Promise<Connection> {
  const transport = connecting({ sessions: store, ...options });
  const client = await transport.connect(listener.address, { earlyData: true });
  onTestFinished(async () => client.close(undefined, 0));
  return client;
}

async function askEarly(client: Connection, text: string): Promise<string> {
  const stream = await client.openStream({ earlyData: true });
  send(stream, text);
  return (await readAll(stream)).toString();
}

describe('a client that was here before', () => {
  it('continues its session', async () => {
    const store = new WatchedStore();
    const servers: Connection[] = [];
    const listener = await listening({
      onConnection: (connection) => {
        servers.push(connection);
        serveEcho(connection);
      },
    });
    await visit(listener, store);
    const client = await comeBack(listener, store);
    expect(await ask(client, 'again')).toBe('again');
    expect(await client.handshakeComplete).toBe(true);
    expect(client.statistics().isResumed).toBe(true);
    expect(servers.map((server) => server.statistics().isResumed)).toEqual([false, true]);
  });

  it('has its first answer after one round trip', async () => {
    const store = new WatchedStore();
    const listener = await listening();
    await visit(listener, store);
    const client = tap();
    // After the first answer of the server the client falls mute: whatever it learns then, it asked for at once.
    client.onReceive = () => {
      client.isMute = true;
    };
    const connection = await comeBack(listener, store, { createSocket: client.createSocket });
    expect(connection.isHandshakeComplete).toBe(false);
    expect(await askEarly(connection, 'early')).toBe('early');
    expect(client.isMute).toBe(true);
  });

  it('is heard before its handshake is complete only where the listener wants it', async () => {
    for (const acceptEarlyData of [true, false]) {
      const store = new WatchedStore();
      const heardAt: boolean[] = [];
      const listener = await listening({
        acceptEarlyData,
        onConnection: (connection) => {
          connection.onStream = (stream) => {
            heardAt.push(connection.isHandshakeComplete);
            stream.onData = (bytes) => stream.write(Uint8Array.from(bytes));
            stream.onEnd = () => stream.end();
          };
        },
      });
      await visit(listener, store);
      const client = await comeBack(listener, store);
      expect(await askEarly(client, 'early?')).toBe('early?');
      expect(heardAt).toEqual([!acceptEarlyData]);
    }
  });

  it('sends other streams when the handshake is complete', async () => {
    const store = new WatchedStore();
    const heard: string[] = [];
    const listener = await listening({
      onConnection: (connection) => {
        connection.onStream = (stream) => {
          void readAll(stream).then((bytes) => {
            heard.push(`${bytes.toString()} ${connection.isHandshakeComplete}`);
          });
        };
      },
    });
    await visit(listener, store);
    const client = await comeBack(listener, store);
    const late = client.openStream().then((stream) => send(stream, 'late'));
    const early = await client.openStream({ earlyData: true });
    expect(client.isHandshakeComplete).toBe(false);
    send(early, 'early');
    await late;
    expect(client.isHandshakeComplete).toBe(true);
    await until(() => heard.length === 2);
    expect(heard).toContain('late true');
  });

  it('uses a ticket once', async () => {
    const store = new WatchedStore();
    const listener = await listening();
    await visit(listener, store);
    const key = sessionKeyOf({ trust }, listener.address, 'neural-trader-quic');
    const ticket = store.get(key);
    expect(ticket).toBeDefined();
    await comeBack(listener, store);
    expect(store.get(key)).not.toEqual(ticket);
  });
});

describe('a ticket that is of no use', () => {
  it('falls back to a full handshake when the server was started again', async () => {
    const store = new WatchedStore();
    const first = await listening();
    await visit(first, store);
    await first.close();
    const second = await listening({ address: first.address });
    const client = await comeBack(second, store);
    expect(await askEarly(client, 'early, then late')).toBe('early, then late');
    expect(await client.handshakeComplete).toBe(true);
    expect(client.statistics().isResumed).toBe(false);
    await until(() => store.stored === 2);
    const third = await comeBack(second, store);
    expect(await third.handshakeComplete).toBe(true);
    expect(third.statistics().isResumed).toBe(true);
  });

  it('falls back when the server changed its key', async () => {
    const store = new WatchedStore();
    const listener = await listening({ ticketKeyLifetimeMs: 1 });
    await visit(listener, store);
    const spentMs = performance.now() + 2;
    await until(() => performance.now() > spentMs);
    const client = await comeBack(listener, store);
    expect(await askEarly(client, 'the same bytes')).toBe('the same bytes');
    expect(client.statistics().isResumed).toBe(false);
  });

  it('falls back when it is damaged', async () => {
    const store = new WatchedStore();
    const listener = await listening();
    const key = sessionKeyOf({ trust }, listener.address, 'neural-trader-quic');
    store.set(
      key,
      Uint8Array.from({ length: 300 }, (_, index) => index),
    );
    const client = await comeBack(listener, store);
    expect(await ask(client, 'none the less')).toBe('none the less');
    expect(client.statistics().isResumed).toBe(false);
  });

  it('falls back behind a Retry', async () => {
    const store = new WatchedStore();
    const listener = await listening({ limits: { halfOpenBeforeRetry: 0 } });
    await visit(listener, store);
    const client = await comeBack(listener, store);
    expect(await askEarly(client, 'after a detour')).toBe('after a detour');
  });

  it('gives nothing away to an impostor', async () => {
    const store = new WatchedStore();
    const first = await listening();
    await visit(first, store);
    await first.close();
    const heard: string[] = [];
    const impostor = createSelfSignedCertificate({ commonName: 'impostor', hosts: ['localhost'] });
    const second = await listening({
      server: impostor,
      address: first.address,
      onConnection: (connection) => {
        connection.onStream = (stream) => {
          void readAll(stream).then((bytes) => heard.push(bytes.toString()));
        };
      },
    });
    const client = await comeBack(second, store);
    const stream = await client.openStream({ earlyData: true });
    send(stream, 'a secret');
    expect(await client.handshakeComplete).toBe(false);
    expect(await client.closed).toMatchObject({ error: { type: 'BAD_CERTIFICATE' } });
    await second.close();
    expect(heard).toEqual([]);
  });

  it('ends the connection when nobody answers', async () => {
    const store = new WatchedStore();
    const listener = await listening();
    await visit(listener, store);
    const client = tap();
    client.isMute = true;
    const transport = connecting({ sessions: store, createSocket: client.createSocket });
    const connection = await transport.connect(listener.address, {
      earlyData: true,
      timeoutMs: 200,
    });
    expect(connection.isOpen).toBe(true);
    expect(await connection.handshakeComplete).toBe(false);
    expect(await connection.closed).toMatchObject({ error: { type: 'CONNECT_FAILED' } });
  });
});

describe('with mutual TLS', () => {
  it('a continued session still shows who the client is', async () => {
    const store = new WatchedStore();
    const seen: (Uint8Array | undefined)[] = [];
    const listener = await listening({
      server: { ...serverIdentity, clientAuthority: authority.certificate },
      onConnection: (connection) => {
        void connection.handshakeComplete.then(() => seen.push(connection.peerCertificate));
        serveEcho(connection);
      },
    });
    const client = { trust: { authority: authority.certificate }, identity: agentIdentity };
    await visit(listener, store, { client });
    const second = await comeBack(listener, store, { client });
    expect(await ask(second, 'it is me')).toBe('it is me');
    expect(second.statistics().isResumed).toBe(true);
    expect(seen.length).toBe(2);
    expect(seen[0]).toBeDefined();
    expect(seen[1]).toEqual(seen[0]);
  });
});

describe('the key of a session', () => {
  const address = { host: '127.0.0.1', port: 5000 };
  const base = sessionKeyOf({ trust }, address, 'alpn');

  it.each([
    ['server', sessionKeyOf({ trust }, { host: '127.0.0.1', port: 5001 }, 'alpn')],
    ['protocol', sessionKeyOf({ trust }, address, 'other')],
    ['belief', sessionKeyOf({ trust: { fingerprints: ['sha256:other'] } }, address, 'alpn')],
    ['authority', sessionKeyOf({ trust: { authority: authority.certificate } }, address, 'alpn')],
    ['identity', sessionKeyOf({ trust, identity: agentIdentity }, address, 'alpn')],
    ['certificate', sessionKeyOf({ trust, identity }, address, 'alpn')],
  ])('is another one for another %s', (_, key) => {
    expect(key).not.toBe(base);
  });
});

describe('the memory of sessions', () => {
  it('forgets the oldest of more than 1,024', () => {
    const store = new MemorySessionStore();
    for (let index = 0; index < 1024; index += 1) store.set(`key ${index}`, Uint8Array.of(1));
    store.set('key 0', Uint8Array.of(2));
    store.set('one more', Uint8Array.of(3));
    expect(store.get('key 1')).toBeUndefined();
    expect(store.get('key 0')).toEqual(Uint8Array.of(2));
    expect(store.get('key 2')).toBeDefined();
  });
});

describe('the key of tickets', () => {
  it('changes after its life time', () => {
    let nowMs = 0;
    const ticketKey = new TicketKey(1000, () => nowMs);
    const first = ticketKey.current();
    expect(first.length).toBe(48);
    nowMs = 999;
    expect(ticketKey.current()).toBe(first);
    nowMs = 1000;
    const second = ticketKey.current();
    expect(second).not.toEqual(first);
    expect(ticketKey.current()).toBe(second);
  });
});
