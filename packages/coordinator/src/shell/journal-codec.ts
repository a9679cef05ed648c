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
import { foldRecord } from '../core/journal-fold.ts';
import type {
  JournalRecord,
  KeptSubmission,
  TaskEnd,
  TaskRecord,
} from '../core/journal-records.ts';
import type { BytePool } from './byte-pool.ts';

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

/**
 * Throws STORE_TOO_NEW for what a later release has written. The records keep no reference to `bytes`.
 * @param pool where the byte strings of the records lie
 */
export function decodeRecords(bytes: Uint8Array, pool: BytePool): readonly JournalRecord[] {
  const { format, records } = decodeDocument(bytes) as Entry;
  if (format !== FORMAT) {
    throw new SwarmError(
      'STORE_TOO_NEW',
      `The journal has records of format ${format}, this release reads format ${FORMAT}.`,
      { hint: 'Start the coordinator with the release that wrote them, or with another --data.' },
    );
  }
  return records.map((record) => lengthened(record as WrittenRecord, pool));
}

/** What happens to a task in the turn in which it is accepted is said in its first record. */
function joined(records: readonly JournalRecord[]): readonly JournalRecord[] {
  const accepted = new Map<string, TaskRecord>();
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

/** A record as it is read: a task may lack whatever is as by default. */
type WrittenRecord =
  | Exclude<JournalRecord, TaskRecord>
  | (Pick<TaskRecord, 'kind' | 'clientName' | 'order' | 'acceptedAtMs'> &
      Partial<Omit<TaskRecord, 'submission'>> & { readonly submission: WrittenSubmission });

type WrittenSubmission = Pick<KeptSubmission, 'taskId' | 'taskType'> & Partial<KeptSubmission>;

/** The record with everything that it need not say, and with bytes of its own. */
function lengthened(record: WrittenRecord, pool: BytePool): JournalRecord {
  if (record.kind === 'ended') return withOwnBytes(record, pool);
  if (record.kind !== 'task') return record;
  // Spelled out, since spreading the defaults and then the record takes ten times as long.
  return {
    kind: 'task',
    submission: lengthenedSubmission(record.submission, pool),
    idempotency: record.idempotency,
    replayOf: record.replayOf,
    clientName: record.clientName,
    order: record.order,
    acceptedAtMs: record.acceptedAtMs,
    attempt: record.attempt ?? TASK_DEFAULTS.attempt,
    errors: record.errors ?? TASK_DEFAULTS.errors,
    losses: record.losses ?? TASK_DEFAULTS.losses,
    failure: record.failure,
    cancelRequested: record.cancelRequested,
    firstStartedAtMs: record.firstStartedAtMs,
    releaseAtMs: record.releaseAtMs,
    startByMs: record.startByMs,
    endByMs: record.endByMs,
    lease: record.lease,
    end: record.end === undefined ? undefined : withOwnBytes(record.end, pool),
    isAcknowledged: record.isAcknowledged ?? TASK_DEFAULTS.isAcknowledged,
  };
}

/** The submission itself, which nobody else has: many of its fields are hardly ever there. */
function lengthenedSubmission(submission: WrittenSubmission, pool: BytePool): KeptSubmission {
  const { payload } = submission;
  submission.datasets ??= [...SUBMISSION_DEFAULTS.datasets];
  submission.priority ??= SUBMISSION_DEFAULTS.priority;
  submission.idempotent ??= SUBMISSION_DEFAULTS.idempotent;
  submission.startToCloseMs ??= SUBMISSION_DEFAULTS.startToCloseMs;
  submission.retry ??= SUBMISSION_DEFAULTS.retry;
  submission.onClientLoss ??= SUBMISSION_DEFAULTS.onClientLoss;
  submission.durable ??= SUBMISSION_DEFAULTS.durable;
  submission.hedge ??= SUBMISSION_DEFAULTS.hedge;
  if (payload !== undefined) submission.payload = pool.copy(payload);
  return submission as KeptSubmission;
}

/** A result of a hundred bytes would otherwise hold on to the whole entry that it was read from. */
function withOwnBytes<T extends TaskEnd>(end: T, pool: BytePool): T {
  return end.payload === undefined ? end : { ...end, payload: pool.copy(end.payload) };
}
