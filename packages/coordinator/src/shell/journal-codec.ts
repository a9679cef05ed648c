/**
 * Records as they lie in the store: several of them are one entry, since what is decided together is written together.
 * A disk that synchronises takes longer for more bytes, so what an entry need not say is left out: what the entry itself
 * overtakes, what is undefined, what is as the protocol has it by default, and the names of what almost every record says.
 */
import {
  DEFAULT_PRIORITY,
  DEFAULT_RETRY_POLICY,
  DEFAULT_START_TO_CLOSE_MS,
  SwarmError,
  decodeDocument,
  encodeDocument,
  type Failure,
  type PayloadEncoding,
  type TerminalTaskState,
} from '@quic-swarm/protocol';
import { foldRecord } from '../core/journal-fold.ts';
import type {
  EndedRecord,
  JournalRecord,
  KeptSubmission,
  TaskEnd,
  TaskRecord,
} from '../core/journal-records.ts';
import type { BytePool } from './byte-pool.ts';

/**
 * Rises when records change in a way that older coordinators would misread. In format 1 an entry was a map, and its
 * records were maps as well; they are still read.
 */
const FORMAT = 2;
const FIRST_FORMAT = 1;

/** More records are several entries, since long documents take longer to write than several short ones. */
const RECORDS_PER_ENTRY = 256;

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

/** What has a place in a list, and is not said by name. */
const TASK_PLACES: ReadonlySet<string> = new Set([
  'kind',
  'submission',
  'clientName',
  'order',
  'acceptedAtMs',
  'attempt',
  'lease',
  'end',
]);
const SUBMISSION_PLACES: ReadonlySet<string> = new Set(['taskId', 'taskType', 'payload']);

/** What is said of an end, in this order. */
type WrittenEnd = readonly [
  state: TerminalTaskState,
  attempt: number,
  agentId: string | undefined,
  endedAtMs: number,
  firstStartedAtMs: number | undefined,
  computeMs: number | undefined,
  chunkCount: number,
  payload: Uint8Array | undefined,
  payloadEncoding: PayloadEncoding | undefined,
  resultType: string | undefined,
  failure: Failure | undefined,
  deadLettered: boolean,
];

const TASK = 0;
const LEASED = 1;
const ENDED = 2;
const ACKNOWLEDGED = 3;
const OTHER = 4;

/** A record as it is written. What few of its kind say comes last, with its name. */
type WrittenList =
  | readonly [
      kind: typeof TASK,
      taskId: string,
      taskType: string,
      clientName: string,
      order: number,
      acceptedAtMs: number,
      attempt: number,
      payload: Uint8Array | undefined,
      lease: readonly [epoch: number, attempt: number, agentId: string] | undefined,
      end: WrittenEnd | undefined,
      rest: RestOfTask | undefined,
    ]
  | readonly [kind: typeof LEASED, taskId: string, epoch: number, attempt: number, agentId: string]
  | readonly [kind: typeof ENDED, taskId: string, end: WrittenEnd]
  | readonly [kind: typeof ACKNOWLEDGED, taskId: string]
  | readonly [kind: typeof OTHER, record: WrittenRecord];

type RestOfTask = Partial<Omit<TaskRecord, 'submission'>> & {
  readonly submission?: Partial<KeptSubmission>;
};

interface FirstFormatEntry {
  readonly format: number;
  readonly records: readonly FirstFormatRecord[];
}

/** How a task ended was said in the record itself. */
type FirstFormatRecord = Exclude<WrittenRecord, EndedRecord> | (Omit<EndedRecord, 'end'> & TaskEnd);

/** Records as entries, which are to be appended together. */
export function encodeRecords(records: readonly JournalRecord[]): readonly Uint8Array[] {
  const entries: Uint8Array[] = [];
  let entry: unknown[] = [FORMAT];
  for (const record of joined(records)) {
    if (entry.length > RECORDS_PER_ENTRY) {
      entries.push(encodeDocument(entry));
      entry = [FORMAT];
    }
    entry.push(listOf(record));
  }
  entries.push(encodeDocument(entry));
  return entries;
}

/**
 * Throws STORE_TOO_NEW for what a later release has written. The records keep no reference to `bytes`.
 * @param pool where the byte strings of the records lie
 */
export function decodeRecords(bytes: Uint8Array, pool: BytePool): readonly JournalRecord[] {
  const entry = decodeDocument(bytes) as FirstFormatEntry | readonly [number, ...WrittenList[]];
  if ('format' in entry) {
    checkFormat(entry.format, FIRST_FORMAT);
    return entry.records.map((record) => lengthened(nested(record), pool));
  }
  const [format, ...lists] = entry;
  checkFormat(format, FORMAT);
  return lists.map((list) => lengthened(recordOf(list), pool));
}

function nested(record: FirstFormatRecord): WrittenRecord {
  if (record.kind !== 'ended') return record;
  const { kind, taskId, ...end } = record;
  return { kind, taskId, end };
}

function checkFormat(format: number, expected: number): void {
  if (format === expected) return;
  throw new SwarmError(
    'STORE_TOO_NEW',
    `The journal has records of format ${format}, this release reads formats up to ${FORMAT}.`,
    { hint: 'Start the coordinator with the release that wrote them, or with another --data.' },
  );
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

function listOf(record: JournalRecord): WrittenList {
  switch (record.kind) {
    case 'task':
      return taskList(record);
    case 'leased':
      return [LEASED, record.taskId, record.epoch, record.attempt, record.agentId];
    case 'ended':
      return [ENDED, record.taskId, endList(record.end)];
    case 'acknowledged':
      return [ACKNOWLEDGED, record.taskId];
    default:
      return [OTHER, record];
  }
}

function taskList(record: TaskRecord): WrittenList {
  const { submission, lease, end } = record;
  return [
    TASK,
    submission.taskId,
    submission.taskType,
    record.clientName,
    record.order,
    record.acceptedAtMs,
    record.attempt,
    submission.payload,
    lease === undefined ? undefined : [lease.epoch, lease.attempt, lease.agentId],
    end === undefined ? undefined : endList(end),
    restOf(record),
  ];
}

function endList(end: TaskEnd): WrittenEnd {
  return [
    end.state,
    end.attempt,
    end.agentId,
    end.endedAtMs,
    end.firstStartedAtMs,
    end.computeMs,
    end.chunkCount,
    end.payload,
    end.payloadEncoding,
    end.resultType,
    end.failure,
    end.deadLettered,
  ];
}

function restOf(record: TaskRecord): RestOfTask | undefined {
  const rest: RestOfTask | undefined = without(record, TASK_DEFAULTS, TASK_PLACES);
  const submission = without(record.submission, SUBMISSION_DEFAULTS, SUBMISSION_PLACES);
  return submission === undefined ? rest : { ...rest, submission };
}

/** The fields that have no place of their own and are neither undefined nor as by default; undefined when there are none. */
function without(
  record: object,
  defaults: Readonly<Record<string, unknown>>,
  places: ReadonlySet<string>,
): object | undefined {
  let rest: Record<string, unknown> | undefined;
  for (const name in record) {
    const value = (record as Record<string, unknown>)[name];
    if (value === undefined || places.has(name)) continue;
    if (name in defaults && isEqual(value, defaults[name])) continue;
    rest ??= {};
    rest[name] = value;
  }
  return rest;
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

function endOf(end: WrittenEnd): TaskEnd {
  const [state, attempt, agentId, endedAtMs, firstStartedAtMs, computeMs, chunkCount] = end;
  const [, , , , , , , payload, payloadEncoding, resultType, failure, deadLettered] = end;
  return {
    state,
    attempt,
    agentId,
    failure,
    deadLettered,
    endedAtMs,
    firstStartedAtMs,
    computeMs,
    payload,
    payloadEncoding,
    resultType,
    chunkCount,
  };
}

/** The record that a list says. */
function recordOf(list: WrittenList): WrittenRecord {
  switch (list[0]) {
    case TASK: {
      const [, taskId, taskType, clientName, order, acceptedAtMs, attempt] = list;
      const [, , , , , , , payload, lease, end, rest] = list;
      // The object that was read, and every field by name: spreading takes ten times as long.
      const submission = (rest?.submission ?? {}) as WrittenSubmission;
      submission.taskId = taskId;
      submission.taskType = taskType;
      if (payload !== undefined) submission.payload = payload;
      return {
        kind: 'task',
        submission,
        idempotency: rest?.idempotency,
        replayOf: rest?.replayOf,
        clientName,
        order,
        acceptedAtMs,
        attempt,
        errors: rest?.errors ?? TASK_DEFAULTS.errors,
        losses: rest?.losses ?? TASK_DEFAULTS.losses,
        failure: rest?.failure,
        cancelRequested: rest?.cancelRequested,
        firstStartedAtMs: rest?.firstStartedAtMs,
        releaseAtMs: rest?.releaseAtMs,
        startByMs: rest?.startByMs,
        endByMs: rest?.endByMs,
        lease:
          lease === undefined
            ? undefined
            : { epoch: lease[0], attempt: lease[1], agentId: lease[2] },
        end: end === undefined ? undefined : endOf(end),
        isAcknowledged: rest?.isAcknowledged ?? TASK_DEFAULTS.isAcknowledged,
      };
    }
    case LEASED: {
      const [, taskId, epoch, attempt, agentId] = list;
      return { kind: 'leased', taskId, epoch, attempt, agentId };
    }
    case ENDED: {
      const [, taskId, end] = list;
      return { kind: 'ended', taskId, end: endOf(end) };
    }
    case ACKNOWLEDGED:
      return { kind: 'acknowledged', taskId: list[1] };
    case OTHER:
      return list[1];
  }
}

/** The record with everything that it need not say, and with bytes of its own. */
function lengthened(record: WrittenRecord, pool: BytePool): JournalRecord {
  if (record.kind === 'ended') return { ...record, end: withOwnBytes(record.end, pool) };
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
