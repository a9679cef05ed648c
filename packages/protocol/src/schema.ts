/**
 * The building blocks of every schema: checked strings, counts, byte strings and typed arrays. A schema here says
 * exactly what may travel; anything else, unknown keys included, is refused before the rest of the system sees it.
 */
import { Type, type Static, type TProperties } from 'typebox';
import { STATUS_CODES } from './errors.ts';
import {
  AGENT_ID_PATTERN,
  AGENT_TYPES,
  CONTENT_ID_PATTERN,
  DATASET_ID_PATTERN,
  TASK_ID_PATTERN,
  TASK_TYPE_PATTERN,
} from './ids.ts';
import { ENVELOPE_ENTRIES_MAX, SHARDS_MAX, STACK_LENGTH_MAX, TEXT_LENGTH_MAX } from './limits.ts';

/** An object with exactly these keys. */
export const record = <P extends TProperties>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });

/** One of the given words. */
export const oneOf = <const W extends readonly string[]>(words: W) =>
  Type.Unsafe<W[number]>(Type.Enum([...words]));

const instanceOf = <T>(constructor: abstract new (...values: never[]) => T, name: string) =>
  Type.Refine(
    Type.Unsafe<T>({}),
    (value) => value instanceof constructor,
    () => `must be ${name}`,
  );

/** A CBOR byte string. */
export const Bytes = instanceOf<Uint8Array>(Uint8Array, 'a byte string');
/** RFC 8746 tag 86: little-endian 64-bit floats. */
export const Float64Values = instanceOf<Float64Array>(Float64Array, 'a Float64Array (tag 86)');
/** RFC 8746 tag 85: little-endian 32-bit floats. */
export const Float32Values = instanceOf<Float32Array>(Float32Array, 'a Float32Array (tag 85)');
/** RFC 8746 tag 70: little-endian unsigned 32-bit integers. */
export const Uint32Values = instanceOf<Uint32Array>(Uint32Array, 'a Uint32Array (tag 70)');
/** RFC 8746 tag 72: signed bytes. */
export const Int8Values = instanceOf<Int8Array>(Int8Array, 'an Int8Array (tag 72)');

export const Text = Type.String({ maxLength: TEXT_LENGTH_MAX });
export const Name = Type.String({ minLength: 1, maxLength: 128 });
export const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const PositiveCount = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
/** A duration. Times on the wire are durations, never clock readings, so that clocks need not agree. */
export const DurationMs = Type.Number({ minimum: 0, maximum: 1e12 });
export const Fraction = Type.Number({ minimum: 0, maximum: 1 });

export const AgentIdText = Type.String({ pattern: AGENT_ID_PATTERN.source });
export const TaskIdText = Type.String({ pattern: TASK_ID_PATTERN.source });
export const DatasetIdText = Type.String({ pattern: DATASET_ID_PATTERN.source });
export const ContentIdText = Type.String({ pattern: CONTENT_ID_PATTERN.source });
export const TaskTypeText = Type.String({ pattern: TASK_TYPE_PATTERN.source });
export const AgentTypeText = oneOf(AGENT_TYPES);

/** A list whose length is bounded like everything in an envelope. */
export const listOf = <T extends Parameters<typeof Type.Array>[0]>(item: T, maxItems?: number) =>
  Type.Array(item, { maxItems: maxItems ?? ENVELOPE_ENTRIES_MAX });

/**
 * Free names of 1 to 128 characters with values of one kind; at most 256 entries. The bounds are a pattern, since
 * TypeBox drops `minLength` and `maxLength` of a key, and would let keys that hold a line break pass with any value.
 */
export const mapOf = <T extends Parameters<typeof Type.Record>[1]>(value: T) =>
  Type.Record(Type.String({ pattern: '^[^]{1,128}$' }), value, {
    maxProperties: 256,
    additionalProperties: false,
  });

/** Words that describe an agent or that a task requires: `{ zone: 'a' }`. */
export const Labels = mapOf(Type.String({ maxLength: 256 }));
export type Labels = Static<typeof Labels>;

/** The parameters that a learner may choose: one point in a space of parameters. */
export const Arm = mapOf(
  Type.Union([Type.Number(), Type.String({ maxLength: 256 }), Type.Boolean()]),
);
export type Arm = Static<typeof Arm>;

/** What one attempt at a task is called, so that a late answer of an earlier attempt is told apart (fencing). */
export const Lease = record({
  /** Rises with each start of the coordinator. */
  epoch: Count,
  taskId: TaskIdText,
  /** 1 for the first try. */
  attempt: PositiveCount,
});
export type Lease = Static<typeof Lease>;

/** A part of a task that was split: which one of how many, and the positions that it covers, `end` excluded. */
export const Shard = record({
  /** The task that was split. */
  of: TaskIdText,
  /** From 0. */
  index: Count,
  count: Type.Integer({ minimum: 1, maximum: SHARDS_MAX }),
  start: Count,
  end: Count,
});
export type Shard = Static<typeof Shard>;

/** See `Failure` in errors.ts. */
export const FailureSchema = record({
  code: oneOf(STATUS_CODES),
  type: Type.String({ minLength: 1, maxLength: 64 }),
  message: Text,
  retryable: Type.Boolean(),
  hint: Type.Optional(Text),
  retryAfterMs: Type.Optional(DurationMs),
  stack: Type.Optional(Type.String({ maxLength: STACK_LENGTH_MAX })),
  causes: Type.Optional(
    listOf(record({ type: Type.String({ maxLength: 64 }), message: Text }), 16),
  ),
});

/** How a payload may be encoded on its way. `deflate-raw`: RFC 1951 without a header. */
export const PAYLOAD_ENCODINGS = ['deflate-raw'] as const;

/** How the bytes of a payload are encoded, and what they become. */
export const PayloadEncoding = record({
  name: oneOf(PAYLOAD_ENCODINGS),
  decodedBytes: PositiveCount,
});
export type PayloadEncoding = Static<typeof PayloadEncoding>;

/**
 * The fields of a message that carries a document: inline up to INLINE_PAYLOAD_BYTES_MAX, or announced by its
 * length and sent behind the message as PayloadChunk frames. `MessageReader` puts both back into `payload`.
 * `payloadEncoding` is there when the payload travels encoded; see payload-encoding.ts.
 */
export const payloadFields = {
  payload: Type.Optional(Bytes),
  payloadBytes: Type.Optional(Count),
  payloadEncoding: Type.Optional(PayloadEncoding),
};
