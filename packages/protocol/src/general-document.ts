/**
 * The general path of documents: any value that the protocol can carry, checked, encoded and scanned in a pass each. It
 * decides what is wrong with a value and how to say it; short plain ones do not come here (fast/document.ts).
 */
import { decodeCbor, encodeCbor } from './cbor.ts';
import { scanCbor } from './cbor-scan.ts';
import { SwarmError, isSwarmError } from './errors.ts';
import { CBOR_DEPTH_MAX, DOCUMENT_ITEMS_MAX } from './limits.ts';

/** Encodes a document; throws BAD_INPUT. The bytes have a buffer of their own. */
export function encodeGeneralDocument(value: unknown): Uint8Array {
  let bytes: Uint8Array;
  try {
    checkSendable(value, 'it', 0);
    bytes = encodeCbor(value);
    scanCbor(bytes, DOCUMENT_ITEMS_MAX);
  } catch (error) {
    throw new SwarmError('BAD_INPUT', `The value cannot be sent: ${reasonOf(error)}`, {
      cause: error,
      hint: 'Use plain objects, arrays, strings, numbers, booleans, null, Uint8Array and typed arrays (Float64Array for long lists of numbers).',
    });
  }
  return bytes;
}

/** Decodes a document; throws an error of type `errorType`. `bytes` must not be reused by the caller. */
export function decodeGeneralDocument(
  errorType: 'BAD_INPUT' | 'BAD_MESSAGE',
  bytes: Uint8Array,
): unknown {
  try {
    return decodeCbor(bytes, DOCUMENT_ITEMS_MAX);
  } catch (error) {
    throw new SwarmError(errorType, `The payload is not a document: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** Throws a sentence about the first value in `value` that would not arrive as what it is. */
function checkSendable(value: unknown, where: string, depth: number): void {
  switch (typeof value) {
    case 'bigint':
    case 'symbol':
    case 'function':
      throw new TypeError(`${where} is a ${typeof value}.`);
    case 'object':
      break;
    case 'string':
      if (!/\p{Surrogate}/u.test(value)) return;
      throw new TypeError(`${where} is a text with half a surrogate pair.`);
    default:
      return;
  }
  if (value === null) return;
  if (ArrayBuffer.isView(value)) {
    if (!(value instanceof DataView)) return;
    throw new TypeError(`${where} is a DataView.`);
  }
  if (depth === CBOR_DEPTH_MAX) {
    throw new TypeError(
      `${where.slice(0, 100)}… is nested deeper than ${CBOR_DEPTH_MAX}, or a ring.`,
    );
  }
  if (Array.isArray(value)) {
    if (value.constructor !== Array) throw new TypeError(`${where} is not a plain array.`);
    value.forEach((item: unknown, index) => {
      // Numbers need no check and no path: long lists of them are common.
      if (typeof item !== 'number') checkSendable(item, `${where}[${index}]`, depth + 1);
    });
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  // A root prototype, of this realm or of another one, makes a plain object.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw new TypeError(`${where} is an instance of ${value.constructor.name}.`);
  }
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') throw new TypeError(`${where} has a key __proto__.`);
    checkSendable(item, `${where}.${key}`, depth + 1);
  }
}

function reasonOf(error: unknown): string {
  return isSwarmError(error) || error instanceof Error ? error.message : String(error);
}
