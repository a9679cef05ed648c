/**
 * The answer to a client that is not let in: one Initial packet with a CONNECTION_CLOSE (RFC 9000 §10.2.3), made
 * without TLS and without keeping anything. quiche could refuse only after a whole flight of its handshake, which costs
 * a signature per refused client and lets the client believe for a moment that it is connected.
 *
 * The keys of Initial packets protect nothing: they follow from the client's own connection id (RFC 9001 §5.2).
 */
import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { CONNECTION_ID_BYTES } from '../arguments.ts';
import { type PacketHeader } from '../binding.ts';

/** QUIC's CONNECTION_REFUSED (RFC 9000 §20.1): the listener has no room. */
export const CONNECTION_REFUSED = 0x02;

const VERSION_1 = 1;
const INITIAL_SALT: Buffer = Buffer.from('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'hex');
const CLOSE_FRAME = 0x1c;
const PACKET_NUMBER_BYTES = 4;
const TAG_BYTES = 16;
const SAMPLE_BYTES = 16;

/** The packet, or undefined for a version other than QUIC 1. `reason` has at most 60 ASCII characters. */
export function refusalPacket(header: PacketHeader, reason: string): Uint8Array | undefined {
  if (header.version !== VERSION_1) return undefined;
  const text = Buffer.from(reason.slice(0, 60), 'latin1');
  const frame = Buffer.from([CLOSE_FRAME, CONNECTION_REFUSED, 0, text.length, ...text]);
  const protectedBytes = PACKET_NUMBER_BYTES + frame.length + TAG_BYTES;
  // Initial, four bytes of packet number (RFC 9000 §17.2.2); its number is 0.
  const ownId = randomBytes(CONNECTION_ID_BYTES);
  const head = Buffer.concat([
    Buffer.from([0xc0 | (PACKET_NUMBER_BYTES - 1), 0, 0, 0, VERSION_1, header.scid.length]),
    header.scid,
    Buffer.from([CONNECTION_ID_BYTES]),
    ownId,
    // No token, then the length as a variable-length integer of two bytes.
    Buffer.from([0, 0x40 | (protectedBytes >> 8), protectedBytes & 0xff]),
    Buffer.alloc(PACKET_NUMBER_BYTES),
  ]);
  const keys = serverInitialKeys(header.dcid);
  const cipher = createCipheriv('aes-128-gcm', keys.key, keys.iv);
  cipher.setAAD(head);
  const sealed = Buffer.concat([cipher.update(frame), cipher.final(), cipher.getAuthTag()]);
  const sampleCipher = createCipheriv('aes-128-ecb', keys.headerProtection, null);
  const mask = sampleCipher.update(sealed.subarray(0, SAMPLE_BYTES));
  // RFC 9001 §5.4.1: four bits of the first byte and the packet number are hidden.
  head[0] = (head[0] ?? 0) ^ ((mask[0] ?? 0) & 0x0f);
  const numberAt = head.length - PACKET_NUMBER_BYTES;
  for (let index = 0; index < PACKET_NUMBER_BYTES; index += 1) {
    head[numberAt + index] = mask[1 + index] ?? 0;
  }
  return Buffer.concat([head, sealed]);
}

interface InitialKeys {
  readonly key: Buffer;
  /** The nonce of packet number 0. */
  readonly iv: Buffer;
  readonly headerProtection: Buffer;
}

function serverInitialKeys(clientDestinationId: Uint8Array): InitialKeys {
  const initial = createHmac('sha256', INITIAL_SALT).update(clientDestinationId).digest();
  const secret = expandLabel(initial, 'server in', 32);
  return {
    key: expandLabel(secret, 'quic key', 16),
    iv: expandLabel(secret, 'quic iv', 12),
    headerProtection: expandLabel(secret, 'quic hp', 16),
  };
}

/** HKDF-Expand-Label (RFC 8446 §7.1) for lengths of at most one hash: one block of HMAC. */
function expandLabel(secret: Buffer, label: string, length: number): Buffer {
  const full = Buffer.from(`tls13 ${label}`);
  const info = Buffer.from([0, length, full.length, ...full, 0, 1]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, length);
}
