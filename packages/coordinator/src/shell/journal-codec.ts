/** Records as they lie in the store: several of them are one entry, since what is decided together is written together. */
import { SwarmError, decodeDocument, encodeDocument } from '@quic-swarm/protocol';
import type { JournalRecord } from '../core/journal-records.ts';

/** Rises when records change in a way that older coordinators would misread. */
const FORMAT = 1;

interface Entry {
  readonly format: number;
  readonly records: JournalRecord[];
}

/** One entry. */
export function encodeRecords(records: readonly JournalRecord[]): Uint8Array {
  return encodeDocument({ format: FORMAT, records } satisfies {
    format: number;
    records: readonly JournalRecord[];
  });
}

/** Throws STORE_TOO_NEW for what a later release has written. The records keep no reference to `bytes`. */
export function decodeRecords(bytes: Uint8Array): readonly JournalRecord[] {
  const { format, records } = decodeDocument(bytes) as Entry;
  if (format !== FORMAT) {
    throw new SwarmError(
      'STORE_TOO_NEW',
      `The journal has records of format ${format}, this release reads format ${FORMAT}.`,
      { hint: 'Start the coordinator with the release that wrote them, or with another --data.' },
    );
  }
  return records.map(withOwnBytes);
}

/** An input of a hundred bytes would otherwise hold on to the whole entry that it was read from. */
function withOwnBytes(record: JournalRecord): JournalRecord {
  if (record.kind === 'ended') return { ...record, payload: record.payload?.slice() };
  if (record.kind !== 'task') return record;
  const { submission, end } = record;
  const { payload } = submission;
  return {
    ...record,
    submission: payload === undefined ? submission : { ...submission, payload: payload.slice() },
    end: end === undefined ? undefined : { ...end, payload: end.payload?.slice() },
  };
}
