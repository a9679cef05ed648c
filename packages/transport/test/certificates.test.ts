/** Certificates hold what was asked for; node:crypto, which did not make their structure, agrees. */
import { X509Certificate } from 'node:crypto';
import {
  createAuthority,
  createSelfSignedCertificate,
  fingerprintOf,
  issueCertificate,
  type KeyType,
} from '@quic-swarm/transport';
import { describe, expect, it } from 'vitest';

const KEY_TYPES: readonly KeyType[] = ['p256', 'ed25519'];

describe.each(KEY_TYPES)('certificates with keys of type %s', (keyType) => {
  it('vouch for themselves', () => {
    const { certificate, privateKey, fingerprint } = createSelfSignedCertificate({
      commonName: 'coordinator',
      hosts: ['localhost', 'swarm.example', '127.0.0.1', '::1'],
      days: 7,
      keyType,
    });
    const parsed = new X509Certificate(certificate);
    expect(parsed.subject).toBe('CN=coordinator');
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.ca).toBe(false);
    expect(parsed.checkHost('swarm.example')).toBe('swarm.example');
    expect(parsed.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(parsed.checkIP('::1')).toBe('::1');
    expect(parsed.checkIP('127.0.0.2')).toBeUndefined();
    const days = (Date.parse(parsed.validTo) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(6.9);
    expect(days).toBeLessThanOrEqual(7);
    expect(Date.parse(parsed.validFrom)).toBeLessThan(Date.now());
    expect(privateKey).toContain('BEGIN PRIVATE KEY');
    expect(fingerprint).toBe(fingerprintOf(parsed.raw));
  });

  it('are issued by an authority', () => {
    const authority = createAuthority({ commonName: 'swarm authority', keyType });
    const issued = issueCertificate(authority, {
      commonName: 'agent-1',
      uris: ['swarm://agent/agent-1'],
      usage: 'client',
      keyType,
    });
    const root = new X509Certificate(authority.certificate);
    const leaf = new X509Certificate(issued.certificate);
    expect(root.ca).toBe(true);
    expect(leaf.checkIssued(root)).toBe(true);
    expect(leaf.verify(root.publicKey)).toBe(true);
    expect(leaf.subjectAltName).toBe('URI:swarm://agent/agent-1');
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  });
});

describe('certificates', () => {
  it('may have a key of another type than their authority', () => {
    const authority = createAuthority({ commonName: 'authority', keyType: 'p256' });
    const issued = issueCertificate(authority, { commonName: 'agent', keyType: 'ed25519' });
    const leaf = new X509Certificate(issued.certificate);
    expect(leaf.publicKey.asymmetricKeyType).toBe('ed25519');
    expect(leaf.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
  });

  it('have positive random serial numbers of 128 bits', () => {
    const serials = Array.from({ length: 50 }, () => {
      const { certificate } = createSelfSignedCertificate({ commonName: 'x' });
      return new X509Certificate(certificate).serialNumber;
    });
    expect(new Set(serials).size).toBe(50);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
  });

  it('refuse a name that is none, and a time that is over', () => {
    const refused: unknown = expect.objectContaining({ type: 'BAD_OPTION' });
    expect(() => createSelfSignedCertificate({ commonName: '' })).toThrow(refused);
    expect(() => createSelfSignedCertificate({ commonName: 'x', days: 0 })).toThrow(refused);
    expect(() => createSelfSignedCertificate({ commonName: 'x', days: Number.NaN })).toThrow(
      refused,
    );
  });

  it('have a fingerprint, which a text without a certificate has not', () => {
    const { certificate, fingerprint } = createSelfSignedCertificate({ commonName: 'x' });
    expect(fingerprint).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(fingerprintOf(certificate)).toBe(fingerprint);
    expect(() => fingerprintOf('none')).toThrow(
      expect.objectContaining({ type: 'BAD_CERTIFICATE' }),
    );
  });
});
