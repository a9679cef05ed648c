/**
 * The table: how named columns of numbers become the bytes of a data set. Made so that an agent can lay the bytes
 * into shared memory and let its worker threads read the columns in place.
 *
 * Layout: u32 little-endian length of the header, the header (one CBOR item `{rows, columns: [names]}`), zero bytes
 * up to the next multiple of 8, then the columns one after the other, each `rows` little-endian 64-bit floats.
 */
import type { Static } from 'typebox';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { CBOR_ITEMS_MAX } from './limits.ts';
import { SwarmError } from './errors.ts';
import { Count, Name, listOf, record } from './schema.ts';
import { checkSchema } from './validation.ts';

/** The media type of a data set in this layout. */
export const TABLE_MEDIA_TYPE = 'application/vnd.quic-swarm.table';

const Header = record({ rows: Count, columns: listOf(Name) });

/** Columns of equal length by name; NaN marks a gap. */
export interface Table {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, Float64Array>;
}

/** Lays out a table. Equal tables give equal bytes, so that their hash can name them. Throws BAD_INPUT. */
export function encodeTable(columns: ReadonlyMap<string, Float64Array>): Uint8Array {
  const names = [...columns.keys()];
  const rows = columns.get(names[0] ?? '')?.length ?? 0;
  for (const [name, values] of columns) {
    if (values.length === rows) continue;
    throw new SwarmError(
      'BAD_INPUT',
      `Column ${name} has ${values.length} rows, the first one ${rows}.`,
    );
  }
  const header: Static<typeof Header> = { rows, columns: names };
  checkSchema(Header, header, 'The header of the table', 'BAD_INPUT');
  const headerBytes = encodeCbor(header);
  const start = dataStartOf(headerBytes.length);
  const bytes = new Uint8Array(start + names.length * rows * 8);
  new DataView(bytes.buffer).setUint32(0, headerBytes.length, true);
  bytes.set(headerBytes, 4);
  let offset = start;
  for (const values of columns.values()) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  return bytes;
}

/**
 * Views a table in place: the columns share memory with `bytes` when these start at a multiple of 8 in their buffer,
 * and with a copy of them otherwise. Throws DATASET_CORRUPT.
 */
export function decodeTable(bytes: Uint8Array): Table {
  if (bytes.byteOffset % 8 !== 0) return decodeTable(new Uint8Array(bytes));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4) throw corrupt('it is shorter than four bytes');
  const headerLength = view.getUint32(0, true);
  if (headerLength > bytes.length - 4) throw corrupt('its header is longer than its bytes');
  const header = decodeHeader(bytes.subarray(4, 4 + headerLength));
  checkSchema(Header, header, 'The header of a table', 'DATASET_CORRUPT');
  const { rows, columns } = header as Static<typeof Header>;
  const start = dataStartOf(headerLength);
  if (bytes.length !== start + columns.length * rows * 8) {
    throw corrupt(
      `${columns.length} columns of ${rows} rows do not fill its ${bytes.length} bytes`,
    );
  }
  if (new Set(columns).size !== columns.length) throw corrupt('two columns have the same name');
  const views = columns.map((name, index): [string, Float64Array] => [
    name,
    new Float64Array(bytes.buffer, bytes.byteOffset + start + index * rows * 8, rows),
  ]);
  return { rows, columns: new Map(views) };
}

function decodeHeader(bytes: Uint8Array): unknown {
  try {
    // A copy, since the decoder refuses shared memory.
    return decodeCbor(new Uint8Array(bytes), CBOR_ITEMS_MAX);
  } catch (error) {
    throw corrupt('its header is not CBOR', error);
  }
}

function dataStartOf(headerLength: number): number {
  return Math.ceil((4 + headerLength) / 8) * 8;
}

function corrupt(why: string, cause?: unknown): SwarmError {
  return new SwarmError('DATASET_CORRUPT', `The data set is not a table: ${why}.`, { cause });
}
