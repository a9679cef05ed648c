/**
 * Records as they lie in the store: several of them are one entry, since what is decided together is written together.
 * A disk that synchronises takes longer for more bytes, so what an entry need not say is left out: what the entry itself
 * overtakes, what is undefined, and what is as the protocol has it by default.
 */
import {
  DEFAULT_PRIORITY,
  DEFAULT_RETRY_POLICY,
  DEFAULT_START_TO_CLOSE_MS,
  SwarmError,
  decodeDocument,
  encodeDocument,
} from '@quic-swarm/protocol';
import { foldRecord, type TaskRecords } from '../core/journal-fold.ts';
import type { JournalRecord, KeptSubmission, TaskRecord } from '../core/journal-records.ts';

/** Rises when records change in a way that older coordinators would misread. */
const FORMAT = 1;

/** What a submission says where an entry says nothing; a part of the format. */
const SUBMISSION_DEFAULTS = {
  datasets: [],
  priority: DEFAULT_PRIORITY,
  idempotent: true,
  startToCloseMs: DEFAULT_START_TO_CLOSE_MS,
  retry: DEFAULT_RETRY_POLICY,
  onClientLoss: 'keep',
  durable: true,
  hedge: false,
} as const;

/** The same for the rest of a task, and for the other records. */
const TASK_DEFAULTS = { attempt: 0, errors: 0, losses: 0, isAcknowledged: false } as const;

interface Entry {
  readonly format: number;
  readonly records: readonly object[];
}

/** One entry. */
export function encodeRecords(records: readonly JournalRecord[]): Uint8Array {
  const entry: Entry = { format: FORMAT, records: joined(records).map(shortened) };
  return encodeDocument(entry);
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
  return records.map((record) => withOwnBytes(lengthened(record as JournalRecord)));
}

/** What happens to a task in the turn in which it is accepted is said in its first record. */
function joined(records: readonly JournalRecord[]): readonly JournalRecord[] {
  const accepted: TaskRecords = new Map();
  const others: JournalRecord[] = [];
  for (const record of records) {
    if (record.kind === 'task') accepted.set(record.submission.taskId, record);
    else if (record.kind !== 'forgotten' && accepted.has(record.taskId))
      foldRecord(accepted, record);
    else others.push(record);
  }
  // Of those that were forgotten at once the record says so behind them.
  return accepted.size === 0 ? others : [...accepted.values(), ...others];
}

function shortened(record: JournalRecord): object {
  if (record.kind !== 'task') return without(record, {});
  const submission = without(record.submission, SUBMISSION_DEFAULTS);
  const end = record.end === undefined ? undefined : without(record.end, {});
  return without({ ...record, submission, end }, TASK_DEFAULTS);
}

/** The fields that are neither undefined nor as by default. */
function without(record: object, defaults: Readonly<Record<string, unknown>>): object {
  const short: Record<string, unknown> = {};
  for (const name of Object.keys(record)) {
    const value = (record as Record<string, unknown>)[name];
    if (value === undefined) continue;
    if (name in defaults && isEqual(value, defaults[name])) continue;
    short[name] = value;
  }
  return short;
}

/** Of texts, numbers, truth values, empty lists and the retry policy. */
function isEqual(value: unknown, other: unknown): boolean {
  if (value === other) return true;
  if (Array.isArray(value)) return Array.isArray(other) && value.length === 0 && other.length === 0;
  if (typeof value !== 'object' || typeof other !== 'object' || value === null || other === null) {
    return false;
  }
  const names = Object.keys(other);
  return (
    Object.keys(value).length === names.length &&
    names.every((name) =>
      isEqual((value as Record<string, unknown>)[name], (other as Record<string, unknown>)[name]),
    )
  );
}

function lengthened(record: JournalRecord): JournalRecord {
  if (record.kind !== 'task') return record;
  const submission = { ...SUBMISSION_DEFAULTS, ...record.submission } as unknown as KeptSubmission;
  return { ...TASK_DEFAULTS, ...record, submission } satisfies TaskRecord;
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
