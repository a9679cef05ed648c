/**
 * Which error of the table a CONNECTION_CLOSE of QUIC or TLS is. Codes 0x100 to 0x1ff are TLS alerts plus 0x100
 * (RFC 9001 §4.8); those below are QUIC's own (RFC 9000 §20.1).
 */
import type { ErrorType } from '@quic-swarm/protocol';
import type { ConnectionClosed } from '../../contract.ts';
import { endedByTransport } from '../../endings.ts';
import type { CloseFrame } from '../native-errors.ts';
import { CONNECTION_REFUSED } from '../listener/refusal.ts';

/** The TLS alert bad_certificate (42), which a client sends that does not trust the pinned server. */
export const BAD_CERTIFICATE_ALERT = 0x12a;

/** Alerts by number (RFC 8446 §6.2) that say something about a certificate. */
const CERTIFICATE_ALERTS: ReadonlyMap<number, string> = new Map([
  [42, 'the certificate is bad or has another name'],
  [43, 'the kind of certificate is not supported'],
  [44, 'the certificate was revoked'],
  [45, 'the certificate has expired'],
  [46, 'the certificate is not acceptable'],
  [48, 'the certificate was not issued by the expected authority'],
  [49, 'access was denied'],
  [51, 'a signature is not of the expected authority'],
  [112, 'the server has another name'],
  [116, 'a client certificate is required'],
]);

const NO_APPLICATION_PROTOCOL = 120;
const PROTOCOL_VERSION = 70;

/** Turns a close of the transport into data. `byPeer`: who sent it. */
export function endedByFrame(frame: CloseFrame, byPeer: boolean): ConnectionClosed {
  const who = byPeer ? 'The peer' : 'This side';
  const detail = frame.reason === '' ? '' : ` (${frame.reason})`;
  if (frame.code === CONNECTION_REFUSED) {
    return endedByTransport('TOO_MANY_CONNECTIONS', `${who} refused the connection${detail}.`);
  }
  const alert = frame.code - 0x100;
  const certificate = CERTIFICATE_ALERTS.get(alert);
  if (certificate !== undefined) {
    return endedByTransport(
      'BAD_CERTIFICATE',
      `${who} refused the handshake: ${certificate} (TLS alert ${alert})${detail}.`,
      'Compare the fingerprint or authority that both sides were given.',
    );
  }
  if (alert === NO_APPLICATION_PROTOCOL || alert === PROTOCOL_VERSION) {
    return endedByTransport(
      'VERSION_MISMATCH',
      `${who} found no common application protocol (TLS alert ${alert}).`,
      'Run the same release on both sides.',
    );
  }
  const type: ErrorType = 'CONNECTION_LOST';
  const what = alert >= 0 ? `TLS alert ${alert}` : `QUIC error ${frame.code}`;
  return endedByTransport(type, `${who} ended the connection: ${what}${detail}.`);
}
