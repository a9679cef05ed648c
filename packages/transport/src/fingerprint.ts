/** Fingerprints: how a certificate is named in texts and pins. */
import { createHash, X509Certificate } from 'node:crypto';
import { SwarmError } from '@quic-swarm/protocol';

/**
 * SHA-256 of a certificate's DER: `sha256:` and 64 hexadecimal digits. Takes PEM (the first certificate in it) or DER.
 * @throws BAD_CERTIFICATE when a PEM text holds no certificate.
 */
export function fingerprintOf(certificate: string | Uint8Array): string {
  const der = typeof certificate === 'string' ? derOf(certificate) : certificate;
  return `sha256:${createHash('sha256').update(der).digest('hex')}`;
}

function derOf(pem: string): Uint8Array {
  try {
    return new X509Certificate(pem).raw;
  } catch (error) {
    throw new SwarmError('BAD_CERTIFICATE', 'The text holds no PEM certificate.', { cause: error });
  }
}
