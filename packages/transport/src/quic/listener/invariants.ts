/** What packets of every version of QUIC have in common (RFC 8999): all that may be read of a version not spoken here. */

/** The head of a packet with a long header. */
export interface InvariantHeader {
  readonly version: number;
  /** The sender's name for the receiver, and its own: 0 to 255 bytes each. */
  readonly dcid: Uint8Array;
  readonly scid: Uint8Array;
}

/** The head of a packet with a long header (RFC 8999 §5.1), or undefined where the bytes are none. */
export function parseInvariants(datagram: Uint8Array): InvariantHeader | undefined {
  const bytes = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length);
  if (((bytes[0] ?? 0) & 0x80) === 0) return undefined;
  const dcidEnd = 6 + (bytes[5] ?? 0);
  const scidEnd = dcidEnd + 1 + (bytes[dcidEnd] ?? 0);
  if (bytes.length < scidEnd) return undefined;
  return {
    version: bytes.readUInt32BE(1),
    dcid: bytes.subarray(6, dcidEnd),
    scid: bytes.subarray(dcidEnd + 1, scidEnd),
  };
}
