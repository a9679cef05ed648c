/**
 * Certificates for development and for a small authority of one's own. node-forge builds the X.509 structure
 * (RFC 5280), node:crypto makes the keys and signs, because forge can sign with RSA only: forge writes the
 * TBSCertificate with a stand-in key, whose place is then taken by the real one.
 *
 * Nothing here verifies a certificate; TLS does that.
 */
import { createHash, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import type nodeForge from 'node-forge';
import { SwarmError } from '@quic-swarm/protocol';
import { fingerprintOf } from './fingerprint.ts';

let loaded: typeof nodeForge | undefined;

/** Loaded when a certificate is made: most processes never make one, and it would be a fifth of their start. */
function forge(): typeof nodeForge {
  loaded ??= createRequire(import.meta.url)('node-forge') as typeof nodeForge;
  return loaded;
}

/** P-256 works with every TLS; Ed25519 needs `signatureAlgorithms: 'ed25519'` on both sides. */
export type KeyType = 'p256' | 'ed25519';

/** A certificate with its private key. Keep the key's file readable by its owner only. */
export interface CertifiedKey {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly privateKey: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly fingerprint: string;
}

/** What a certificate says. */
export interface CertificateOptions {
  readonly commonName: string;
  /** DNS names and IP addresses at which the holder is reached. @default [] */
  readonly hosts?: readonly string[];
  /** Identities of the holder, such as `swarm://agent/agent-1`. @default [] */
  readonly uris?: readonly string[];
  /** How long it is valid, from now. @default 30 */
  readonly days?: number;
  /** @default 'p256' */
  readonly keyType?: KeyType;
}

/** What a certificate of an authority says; `usage` is what its holder may be. */
export interface IssueOptions extends CertificateOptions {
  /** @default 'both' */
  readonly usage?: 'server' | 'client' | 'both';
}

/** A certificate that vouches for itself: for pinning by fingerprint. */
export function createSelfSignedCertificate(options: CertificateOptions): CertifiedKey {
  return build(options, leafExtensions(options, 'both'), undefined);
}

/** An authority that issues certificates and nothing else. @default valid for 3,650 days */
export function createAuthority(
  options: Pick<CertificateOptions, 'commonName' | 'days' | 'keyType'>,
): CertifiedKey {
  const extensions = [
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ];
  return build({ days: 3650, ...options }, extensions, undefined);
}

/** A certificate for a server or a client, signed by the authority. */
export function issueCertificate(authority: CertifiedKey, options: IssueOptions): CertifiedKey {
  return build(options, leafExtensions(options, options.usage ?? 'both'), authority);
}

type Asn1 = ReturnType<typeof nodeForge.asn1.fromDer>;

const SUBJECT_KEY_OID = '2.5.29.14';
const AUTHORITY_KEY_OID = '2.5.29.35';

const SIGNATURE_OIDS: Readonly<Record<KeyType, string>> = {
  p256: '1.2.840.10045.4.3.2',
  ed25519: '1.3.101.112',
};

/** The places of the parts of a TBSCertificate with a version (RFC 5280 §4.1). */
const TBS = { serial: 1, signature: 2, issuer: 3, validity: 4, subject: 5, publicKey: 6 } as const;

/** Clocks of two machines differ: a new certificate is valid an hour ago. */
const CLOCK_SKEW_MS = 3_600_000;

const DAY_MS = 86_400_000;

function build(
  options: CertificateOptions,
  extensions: object[],
  authority: CertifiedKey | undefined,
): CertifiedKey {
  const { commonName, days = 30, keyType = 'p256' } = options;
  if (commonName === '' || commonName.length > 64 || !(days > 0)) {
    throw new SwarmError('BAD_OPTION', 'A certificate needs a name of 1 to 64 letters and days.');
  }
  const { publicKey, privateKey } = generateKeys(keyType);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const nowMs = Date.now();
  const certificate = forge().pki.createCertificate();
  certificate.serialNumber = randomSerial();
  certificate.validity = {
    notBefore: new Date(nowMs - CLOCK_SKEW_MS),
    notAfter: new Date(nowMs + days * DAY_MS),
  };
  const subject = [{ name: 'commonName', value: commonName }];
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.setExtensions([...extensions, ...keyIdentifiers(spki, authority)]);
  certificate.publicKey = standInKey();
  const signerType = authority === undefined ? keyType : keyTypeOf(authority);
  certificate.signatureOid = SIGNATURE_OIDS[signerType];
  certificate.siginfo = { algorithmOid: SIGNATURE_OIDS[signerType], parameters: null };

  const algorithm = algorithmIdentifier(signerType);
  const tbs = forge().pki.getTBSCertificate(certificate);
  const parts = childrenOf(tbs);
  parts[TBS.signature] = algorithm;
  parts[TBS.publicKey] = parseDer(spki);
  if (authority !== undefined) parts[TBS.issuer] = subjectOf(authority);
  const digest = signerType === 'p256' ? 'sha256' : null;
  const signature = sign(digest, toDer(tbs), authority?.privateKey ?? privateKey);
  const der = toDer(sequence([tbs, algorithm, bitString(signature)]));
  const pem = forge().pem.encode({ type: 'CERTIFICATE', body: der.toString('latin1') });
  return {
    certificate: pem.replaceAll('\r\n', '\n'),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprint: fingerprintOf(der),
  };
}

function leafExtensions(
  { hosts = [], uris = [] }: CertificateOptions,
  usage: 'server' | 'client' | 'both',
): object[] {
  const altNames = [
    ...hosts.map((host) => (isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host })),
    ...uris.map((uri) => ({ type: 6, value: uri })),
  ];
  return [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, critical: true },
    { name: 'extKeyUsage', serverAuth: usage !== 'client', clientAuth: usage !== 'server' },
    ...(altNames.length === 0 ? [] : [{ name: 'subjectAltName', altNames }]),
  ];
}

/** Which key is certified and which one signed (RFC 5280 §4.2.1.1, §4.2.1.2). */
function keyIdentifiers(spki: Buffer, authority: CertifiedKey | undefined): object[] {
  const own = keyIdentifier(spki);
  const subject = { id: SUBJECT_KEY_OID, value: `\x04\x14${own.toString('latin1')}` };
  if (authority === undefined) return [subject];
  const signer = signerKeyIdentifier(authority).toString('latin1');
  const length = String.fromCharCode(signer.length);
  const outer = String.fromCharCode(signer.length + 2);
  return [subject, { id: AUTHORITY_KEY_OID, value: `\x30${outer}\x80${length}${signer}` }];
}

/** 160 bits of SHA-256 over the key (RFC 7093 §2). */
function keyIdentifier(spki: Buffer): Buffer {
  return createHash('sha256').update(spki).digest().subarray(0, 20);
}

/** The identifier that the authority's certificate gives to its key; other tools compute it in other ways. */
function signerKeyIdentifier({ certificate }: CertifiedKey): Buffer {
  const { raw, publicKey } = new X509Certificate(certificate);
  // The extension's OID, then an OCTET STRING (two bytes of head) around an OCTET STRING (two more).
  const at = raw.indexOf(Buffer.from('0603551d0e', 'hex'));
  const length = at === -1 ? undefined : raw[at + 8];
  if (length === undefined || length > 100) {
    return keyIdentifier(publicKey.export({ type: 'spki', format: 'der' }));
  }
  return raw.subarray(at + 9, at + 9 + length);
}

function generateKeys(keyType: KeyType): ReturnType<typeof generateKeyPairSync> {
  return keyType === 'p256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('ed25519');
}

/** 128 random bits; the first byte is 0x40 to 0x7f, so that the number is positive and not shortened. */
function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return bytes.toString('hex');
}

function standInKey(): unknown {
  const { BigInteger } = forge().jsbn;
  return forge().pki.rsa.setPublicKey(new BigInteger('65537'), new BigInteger('3'));
}

function keyTypeOf({ certificate }: CertifiedKey): KeyType {
  const { asymmetricKeyType } = new X509Certificate(certificate).publicKey;
  return asymmetricKeyType === 'ed25519' ? 'ed25519' : 'p256';
}

/** The authority's own name, byte for byte: verifiers compare it with the issuer of what it signed. */
function subjectOf({ certificate }: CertifiedKey): Asn1 {
  const [tbs] = childrenOf(parseDer(new X509Certificate(certificate).raw));
  const subject = tbs === undefined ? undefined : childrenOf(tbs)[TBS.subject];
  if (subject === undefined) throw new SwarmError('BAD_CERTIFICATE', 'The authority has no name.');
  return subject;
}

function algorithmIdentifier(keyType: KeyType): Asn1 {
  const { asn1 } = forge();
  const oid = asn1.oidToDer(SIGNATURE_OIDS[keyType]).getBytes();
  return sequence([asn1.create(asn1.Class.UNIVERSAL, asn1.Type.OID, false, oid)]);
}

function sequence(children: Asn1[]): Asn1 {
  const { asn1 } = forge();
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, children);
}

function bitString(bytes: Buffer): Asn1 {
  const { asn1 } = forge();
  const value = `\0${bytes.toString('latin1')}`;
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.BITSTRING, false, value);
}

function childrenOf(node: Asn1): Asn1[] {
  if (typeof node.value === 'string') throw new SwarmError('BAD_CERTIFICATE', 'Not X.509.');
  return node.value;
}

function parseDer(der: Buffer): Asn1 {
  return forge().asn1.fromDer(der.toString('latin1'));
}

function toDer(node: Asn1): Buffer {
  return Buffer.from(forge().asn1.toDer(node).getBytes(), 'latin1');
}
