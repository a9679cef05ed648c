/**
 * CBOR in and out. Decoding always goes through the structural scan; what comes back is plain objects, arrays,
 * strings, numbers, booleans, null, byte strings and typed arrays, nothing else.
 *
 * Decoded byte strings may share memory with the bytes they were decoded from: give `decodeCbor` bytes that nobody
 * reuses. Typed arrays are copies.
 */
import { Decoder, Encoder } from 'cbor-x';
import { SwarmError } from './errors.ts';
import { scanCbor } from './cbor-scan.ts';

const options = {
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  tagUint8Array: false,
} as const;
const encoder = new Encoder(options);
const decoder = new Decoder(options);

/** Encodes one item. The bytes belong to the caller. */
export function encodeCbor(value: unknown): Uint8Array {
  return encoder.encode(value);
}

/** Decodes exactly one item; throws BAD_MESSAGE for everything that is not one. */
export function decodeCbor(bytes: Uint8Array, itemsMax: number): unknown {
  scanCbor(bytes, itemsMax);
  try {
    return decoder.decode(bytes) as unknown;
  } catch (error) {
    throw new SwarmError('BAD_MESSAGE', `The bytes are not CBOR: ${String(error)}.`, {
      cause: error,
    });
  }
}
