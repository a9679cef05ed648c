/**
 * The entries that were made durable together, as one value. One value for many entries is what makes both writing and
 * reading fast: an engine spends about a microsecond on each key, however small its value.
 *
 * Layout, numbers with the highest byte first: the checksum of the key and all that follows (4 bytes), then for each entry
 * its checksum over what follows of it (4), sequence (8), epoch (4), length (4) and payload. The checksum of the whole is
 * what a reader checks; those of the entries tell, when the whole is damaged, which of them are not.
 */
import { crc32 } from 'node:zlib';
import type { JournalEntry } from '../contract.ts';
import { chunkKey, firstSequenceOf, readNumber, writeNumber } from '../keys.ts';
import { unseal } from '../sealed.ts';
import type { KeyValue, Operation } from '../engine.ts';

const CHECKSUM_BYTES = 4;
const ENTRY_HEADER_BYTES = 20;

/** The largest epoch that an entry can carry. */
export const EPOCH_MAX: number = 2 ** 32 - 1;

/** Entries of one writer that follow each other. */
export interface Run {
  readonly epoch: number;
  readonly payloads: readonly Uint8Array[];
}

/** The operation that stores the runs, the first entry of which gets the sequence number. */
export function chunkOf(firstSequence: number, runs: readonly Run[]): Operation {
  let length = CHECKSUM_BYTES;
  for (const { payloads } of runs) {
    for (const { length: bytes } of payloads) length += ENTRY_HEADER_BYTES + bytes;
  }
  const value = Buffer.allocUnsafe(length);
  let offset = CHECKSUM_BYTES;
  let sequence = firstSequence;
  for (const { epoch, payloads } of runs) {
    for (const payload of payloads) {
      writeNumber(value, offset + 4, sequence);
      value.writeUInt32BE(epoch, offset + 12);
      value.writeUInt32BE(payload.length, offset + 16);
      value.set(payload, offset + ENTRY_HEADER_BYTES);
      const end = offset + ENTRY_HEADER_BYTES + payload.length;
      value.writeUInt32BE(crc32(value.subarray(offset + 4, end)), offset);
      offset = end;
      sequence += 1;
    }
  }
  const key = chunkKey(firstSequence);
  value.writeUInt32BE(crc32(value.subarray(CHECKSUM_BYTES), crc32(key)), 0);
  return { key, value };
}

/** The entries of a chunk; undefined where anything in it is damaged. */
export function entriesOf([key, value]: KeyValue): JournalEntry[] | undefined {
  const body = unseal(key, value);
  if (body === undefined) return undefined;
  const entries: JournalEntry[] = [];
  const first = firstSequenceOf(key);
  for (let offset = 0; offset < body.length;) {
    const entry = entryAt(body, offset);
    if (entry?.sequence !== first + entries.length) return undefined;
    entries.push(entry);
    offset += ENTRY_HEADER_BYTES + entry.payload.length;
  }
  return entries;
}

/** What can still be believed of a chunk whose checksum does not fit. */
export interface Remains {
  /** The entries before the first damaged one. */
  readonly entries: readonly JournalEntry[];
  /** Whether an entry behind the first damaged one is intact. */
  readonly hasMore: boolean;
}

/** Looks at each entry of a damaged chunk for itself. */
export function remainsOf([key, value]: KeyValue): Remains {
  const body = value.subarray(CHECKSUM_BYTES);
  const entries: JournalEntry[] = [];
  const first = firstSequenceOf(key);
  let offset = 0;
  for (;;) {
    const entry = intactEntryAt(body, offset);
    if (entry?.sequence !== first + entries.length) break;
    entries.push(entry);
    offset += ENTRY_HEADER_BYTES + entry.payload.length;
  }
  // The length of the damaged entry may be what is damaged, so the next one can begin at any byte.
  for (let at = offset + 1; at + ENTRY_HEADER_BYTES <= body.length; at += 1) {
    const sequence = readNumber(body, at + 4);
    if (sequence <= first + entries.length || sequence > first + body.length) continue;
    if (intactEntryAt(body, at) !== undefined) return { entries, hasMore: true };
  }
  return { entries, hasMore: false };
}

function entryAt(body: Buffer, offset: number): JournalEntry | undefined {
  const start = offset + ENTRY_HEADER_BYTES;
  if (start > body.length) return undefined;
  const end = start + body.readUInt32BE(offset + 16);
  if (end > body.length) return undefined;
  return {
    sequence: readNumber(body, offset + 4),
    epoch: body.readUInt32BE(offset + 12),
    payload: body.subarray(start, end),
  };
}

function intactEntryAt(body: Buffer, offset: number): JournalEntry | undefined {
  const entry = entryAt(body, offset);
  if (entry === undefined) return undefined;
  const end = offset + ENTRY_HEADER_BYTES + entry.payload.length;
  return body.readUInt32BE(offset) === crc32(body.subarray(offset + 4, end)) ? entry : undefined;
}
