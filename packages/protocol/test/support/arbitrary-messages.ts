/** Random messages and documents, made from the schemas themselves, so that a new field is tested when it is written. */
import fc from 'fast-check';
import { MESSAGES, type Message, type MessageType } from '../../src/index.ts';

/** The keywords of JSON Schema that our schemas use. */
export interface SchemaView {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly SchemaView[];
  readonly items?: SchemaView;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly properties?: Readonly<Record<string, SchemaView>>;
  readonly patternProperties?: Readonly<Record<string, SchemaView>>;
  readonly required?: readonly string[];
  readonly '~refine'?: readonly { error(value: unknown): string }[];
}

/** What a refined schema wants: `a byte string`, `a Float64Array (tag 86)` …; undefined for all other schemas. */
export function refinementOf(schema: SchemaView): string | undefined {
  return schema['~refine']?.[0]?.error(undefined).replace('must be ', '');
}

const bytes = fc.uint8Array({ maxLength: 40 });
const refined: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  'a byte string': bytes,
  'a Float64Array (tag 86)': fc.float64Array({ maxLength: 8 }),
  'a Float32Array (tag 85)': fc.float32Array({ maxLength: 8 }),
  'a Uint32Array (tag 70)': fc.uint32Array({ maxLength: 8 }),
  'an Int8Array (tag 72)': fc.int8Array({ maxLength: 8 }),
};

/** Values that fit a schema. */
export function valuesOf(schema: SchemaView): fc.Arbitrary<unknown> {
  const refinement = refinementOf(schema);
  if (refinement !== undefined) {
    const values = refined[refinement];
    if (values === undefined) throw new Error(`No generator for ${refinement}.`);
    return values;
  }
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(valuesOf));
  switch (schema.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.oneof(
        fc.maxSafeNat().map((value) => clamp(value, schema)),
        fc.nat(300).map((value) => clamp(value, schema)),
      );
    case 'number':
      // CBOR as cbor-x writes it has one zero.
      return fc
        .double({ noNaN: true, noDefaultInfinity: true })
        .map((value) => clamp(value === 0 ? 0 : value, schema));
    case 'string':
      return textsOf(schema);
    case 'array':
      return fc.array(valuesOf(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 3, 3),
      });
    case 'object':
      return objectsOf(schema);
    default:
      throw new Error(`No generator for ${JSON.stringify(schema)}.`);
  }
}

/** Any valid message of one type. A payload and its length exclude each other, and a length needs chunks behind it. */
export function messagesOfType(type: MessageType): fc.Arbitrary<Message> {
  return valuesOf(MESSAGES[type].schema as SchemaView).map((value) => {
    const { payloadBytes: _announced, ...body } = value as Record<string, unknown>;
    return { type, body } as unknown as Message;
  });
}

export const messageTypes = Object.keys(MESSAGES) as MessageType[];

/** Any valid message that can stand alone on a stream. */
export const messages: fc.Arbitrary<Message> = fc.oneof(
  ...messageTypes.filter((type) => type !== 'PayloadChunk').map(messagesOfType),
);

function clamp(value: number, { minimum = -Infinity, maximum = Infinity }: SchemaView): number {
  return Math.min(Math.max(value, minimum), maximum);
}

function textsOf({ pattern, minLength = 0, maxLength = 64 }: SchemaView): fc.Arbitrary<string> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern, 'u'));
  const bounds = { minLength, maxLength: Math.min(maxLength, 100) };
  return fc.oneof(fc.string(bounds), fc.string({ ...bounds, unit: 'binary' }).filter(isCarried));
}

// cbor-x drops a byte order mark from texts of more than 64 bytes.
function isCarried(text: string): boolean {
  return !text.startsWith('\uFEFF') && text.length <= 100;
}

function objectsOf(schema: SchemaView): fc.Arbitrary<unknown> {
  if (schema.patternProperties !== undefined) {
    const [value] = Object.values(schema.patternProperties);
    const names = fc.string({ minLength: 1, maxLength: 12 }).filter((name) => name !== '__proto__');
    return fc.dictionary(names, valuesOf(value ?? {}), { maxKeys: 3, noNullPrototype: true });
  }
  const fields = Object.entries(schema.properties ?? {}).map(
    ([name, field]) => [name, valuesOf(field)] as const,
  );
  return fc.record(Object.fromEntries(fields), {
    requiredKeys: [...(schema.required ?? [])],
    noNullPrototype: true,
  });
}
