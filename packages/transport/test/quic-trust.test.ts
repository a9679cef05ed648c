/** Who believes whom: pins, authorities, names, client certificates, application protocols. */
import { X509Certificate } from 'node:crypto';
import {
  createQuicTransport,
  createSelfSignedCertificate,
  fingerprintOf,
  issueCertificate,
  type Trust,
} from '@quic-swarm/transport';
import { ask, rejectionOf, serveEcho } from '@quic-swarm/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  agentIdentity,
  authority,
  connecting,
  identity,
  meetForTest,
  otherAuthority,
  serverIdentity,
  serving,
} from './quic-pair.ts';

const BY_AUTHORITY: Trust = { authority: authority.certificate };

describe('a client that trusts a fingerprint', () => {
  it('knows the certificate that it accepted', async () => {
    const { client, listener } = await meetForTest(serving(), connecting());
    expect(listener.fingerprint).toBe(identity.fingerprint);
    expect(client.peerCertificate && fingerprintOf(client.peerCertificate)).toBe(
      identity.fingerprint,
    );
  });

  it('refuses another certificate and names both fingerprints', async () => {
    const other = createSelfSignedCertificate({ commonName: 'impostor', hosts: ['127.0.0.1'] });
    const { error, accepted } = await refusedBy(serving({ server: other }), {
      fingerprints: [identity.fingerprint],
    });
    expect(error).toMatchObject({ type: 'BAD_CERTIFICATE' });
    expect(String(error)).toContain(identity.fingerprint);
    expect(String(error)).toContain(other.fingerprint);
    expect(accepted).toBe(0);
  });

  it('accepts any of several', async () => {
    const fingerprints = [`sha256:${'0'.repeat(64)}`, identity.fingerprint];
    const { client } = await meetForTest(
      serving(),
      connecting({ client: { trust: { fingerprints } } }),
    );
    expect(client.isOpen).toBe(true);
  });

  it('refuses everybody with an empty list', async () => {
    const { error } = await refusedBy(serving(), { fingerprints: [] });
    expect(error).toMatchObject({ type: 'BAD_CERTIFICATE' });
  });

  it('may ask a function', async () => {
    const asked: string[] = [];
    const trust = (fingerprint: string): boolean => {
      asked.push(fingerprint);
      return asked.length === 1;
    };
    const { listener } = await meetForTest(serving(), connecting({ client: { trust } }));
    const second = connecting({ client: { trust } }).connect(listener.address);
    await expect(second).rejects.toMatchObject({ type: 'BAD_CERTIFICATE' });
    expect(asked).toEqual([identity.fingerprint, identity.fingerprint]);
  });
});

describe('a client that trusts an authority', () => {
  const server = serving({ server: serverIdentity });

  it('accepts a server by its IP address and by its name', async () => {
    const client = connecting({ client: { trust: BY_AUTHORITY } });
    const meeting = await meetForTest(server, client);
    const { port } = meeting.listener.address;
    const byName = await client.connect({ host: 'localhost', port });
    expect(byName.isOpen).toBe(true);
    await byName.close();
  });

  it('refuses a server of another authority', async () => {
    const { error } = await refusedBy(server, { authority: otherAuthority.certificate });
    expect(error).toMatchObject({ type: 'BAD_CERTIFICATE' });
  });

  it('refuses a server with another name', async () => {
    const { error } = await refusedBy(server, { ...BY_AUTHORITY, serverName: 'example.org' });
    expect(error).toMatchObject({ type: 'BAD_CERTIFICATE' });
  });

  it('refuses a server whose certificate is for another IP address', async () => {
    const elsewhere = issueCertificate(authority, { commonName: 'x', hosts: ['10.0.0.1'] });
    const { error } = await refusedBy(serving({ server: elsewhere }), BY_AUTHORITY);
    expect(error).toMatchObject({ type: 'BAD_CERTIFICATE' });
    expect(String(error)).toContain('127.0.0.1');
  });

  it('refuses a certificate that has expired', async () => {
    const expired = issueCertificate(authority, {
      commonName: 'x',
      hosts: ['127.0.0.1'],
      days: 1e-9,
    });
    const { error } = await refusedBy(serving({ server: expired }), BY_AUTHORITY);
    expect(error).toMatchObject({ type: 'BAD_CERTIFICATE' });
  });

  it('works with Ed25519 when both sides ask for it', async () => {
    const signatureAlgorithms = 'ed25519';
    const keyType = 'ed25519';
    const edwards = createSelfSignedCertificate({ commonName: 'x', keyType });
    const { client, server: accepted } = await meetForTest(
      serving({ server: edwards, signatureAlgorithms }),
      connecting({
        client: { trust: { fingerprints: [edwards.fingerprint] } },
        signatureAlgorithms,
      }),
    );
    serveEcho(accepted);
    expect(await ask(client, 'twisted')).toBe('twisted');
  });
});

describe('a server that wants client certificates', () => {
  const server = serving({
    server: { ...serverIdentity, clientAuthority: authority.certificate },
  });

  it('accepts a client of its authority and sees who it is', async () => {
    const client = connecting({ client: { trust: BY_AUTHORITY, identity: agentIdentity } });
    const meeting = await meetForTest(server, client, serveEcho);
    expect(await ask(meeting.client, 'it is me')).toBe('it is me');
    const { peerCertificate } = meeting.server;
    const presented = peerCertificate && new X509Certificate(peerCertificate);
    expect(presented?.subjectAltName).toBe('URI:swarm://agent/agent-1');
  });

  it.each([
    ['no certificate', undefined],
    [
      'a certificate of another authority',
      issueCertificate(otherAuthority, { commonName: 'agent-1' }),
    ],
    ['a certificate that vouches for itself', identity],
  ])('refuses a client with %s', async (_what, presented) => {
    let accepted = 0;
    const listener = await server.listen({
      address: { host: '127.0.0.1', port: 0 },
      onConnection: () => {
        accepted += 1;
      },
    });
    onTestFinished(async () => listener.close());
    const client = connecting({
      client: { trust: BY_AUTHORITY, ...(presented === undefined ? {} : { identity: presented }) },
    });
    // The client is done with its part of the handshake before the server has looked at the certificate.
    const error = await client.connect(listener.address).then(
      async (connection) => (await connection.closed).error,
      (failure: unknown) => failure,
    );
    expect(error).toMatchObject({ type: 'BAD_CERTIFICATE' });
    expect(accepted).toBe(0);
  });
});

describe('application protocols', () => {
  it('must be the same', async () => {
    const { error } = await refusedBy(serving({ alpn: 'something-else' }), {
      fingerprints: [identity.fingerprint],
    });
    expect(error).toMatchObject({ type: 'VERSION_MISMATCH' });
  });
});

describe('options that cannot work', () => {
  it.each([
    ['a certificate that is none', { server: { certificate: 'x', privateKey: 'y' } }],
    ['an empty certificate', { server: { certificate: '', privateKey: '' } }],
    [
      'a key of another certificate',
      { server: { certificate: identity.certificate, privateKey: authority.privateKey } },
    ],
    ['a bound that is no number', { idleTimeoutMs: Number.NaN }],
    ['datagrams below the least', { maxUdpPayloadBytes: 1000 }],
    ['an authority that is none', { client: { trust: { authority: 'none' } } }],
  ])('are refused: %s', (_what, options) => {
    expect(() => createQuicTransport(options)).toThrow(
      expect.objectContaining({ type: 'BAD_OPTION' }),
    );
  });

  it('a transport without certificate or trust says what is missing', async () => {
    const address = { host: '127.0.0.1', port: 0 };
    const bare = createQuicTransport({});
    const listening = bare.listen({ address, onConnection: () => undefined });
    await expect(listening).rejects.toMatchObject({ type: 'BAD_OPTION' });
    await expect(bare.connect(address)).rejects.toMatchObject({ type: 'BAD_OPTION' });
  });
});

async function refusedBy(
  server: ReturnType<typeof serving>,
  trust: Trust,
): Promise<{ error: unknown; accepted: number }> {
  let accepted = 0;
  const listener = await server.listen({
    address: { host: '127.0.0.1', port: 0 },
    onConnection: () => {
      accepted += 1;
    },
  });
  onTestFinished(async () => listener.close());
  const error = await rejectionOf(connecting({ client: { trust } }).connect(listener.address));
  return { error, accepted };
}
