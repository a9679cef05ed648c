/**
 * The datagrams with which two of our endpoints ask each other how large a datagram the path carries. They lie where
 * QUIC has nothing: both first bits are zero (RFC 8999 §5, RFC 9443 §2), so that an endpoint of another make drops them.
 *
 * Layout: u8 kind (0x0c asks, 0x0d answers), the receiver's connection id (20 bytes), a nonce (8 bytes), then u16
 * big-endian bytes of the datagram that is asked about; a question is padded with zeros to that size.
 */
import { CONNECTION_ID_BYTES } from '../arguments.ts';

const ASK = 0x0c;
const ANSWER = 0x0d;
const NONCE_BYTES = 8;
const NONCE_AT = 1 + CONNECTION_ID_BYTES;
const SIZE_AT = NONCE_AT + NONCE_BYTES;
const HEAD_BYTES = SIZE_AT + 2;

/** A probe or its answer. */
export interface ProbePacket {
  readonly kind: 'ask' | 'answer';
  readonly nonce: Uint8Array;
  /** Bytes of the datagram that asks. */
  readonly size: number;
}

/** Whether a datagram is none of QUIC and may be one of these. */
export function isProbe(datagram: Uint8Array): boolean {
  return datagram[0] === ASK || datagram[0] === ANSWER;
}

/** The datagram. `connectionId` is one of the receiver's. */
export function encodeProbe(connectionId: Uint8Array, { kind, nonce, size }: ProbePacket): Buffer {
  const packet = Buffer.alloc(kind === 'ask' ? size : HEAD_BYTES);
  packet[0] = kind === 'ask' ? ASK : ANSWER;
  packet.set(connectionId, 1);
  packet.set(nonce, NONCE_AT);
  packet.writeUInt16BE(size, SIZE_AT);
  return packet;
}

/** What a datagram says; undefined where it is damaged or, asking, not of the size that it claims. */
export function decodeProbe(datagram: Uint8Array): ProbePacket | undefined {
  if (datagram.length < HEAD_BYTES || !isProbe(datagram)) return undefined;
  const kind = datagram[0] === ASK ? 'ask' : 'answer';
  const size = ((datagram[SIZE_AT] ?? 0) << 8) | (datagram[SIZE_AT + 1] ?? 0);
  if (kind === 'ask' && size !== datagram.length) return undefined;
  return { kind, nonce: Uint8Array.from(datagram.subarray(NONCE_AT, SIZE_AT)), size };
}
