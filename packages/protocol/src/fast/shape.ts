/**
 * What a schema asks for, in the few words that the fast codec understands. A schema that says anything else has no
 * shape, and what it describes is left to the general path.
 */
import type { TSchema } from 'typebox';
import { Bytes } from '../schema.ts';

/** A value that the fast codec reads and writes. Bounds are inclusive; lengths count characters. */
export type Shape =
  | { readonly kind: 'boolean' | 'bytes' }
  | {
      readonly kind: 'number';
      readonly isInteger: boolean;
      readonly minimum: number;
      readonly maximum: number;
    }
  | {
      readonly kind: 'text';
      readonly pattern: RegExp | undefined;
      readonly lengthMin: number;
      readonly lengthMax: number;
    }
  | { readonly kind: 'word'; readonly words: readonly string[] }
  | { readonly kind: 'list'; readonly item: Shape; readonly itemsMax: number }
  | RecordShape;

/** A map whose keys are known. */
export interface RecordShape {
  readonly kind: 'record';
  /** In the order of the schema. */
  readonly fields: readonly Field[];
}

/** One key of a {@link RecordShape}. */
export interface Field {
  readonly name: string;
  readonly isOptional: boolean;
  /** Undefined: only the general path reads and writes this field. */
  readonly shape: Shape | undefined;
}

/** The keywords of JSON Schema that our schemas use, and the one that TypeBox adds for what is checked by a function. */
interface Keywords {
  readonly '~refine'?: readonly { readonly check: unknown }[];
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: TSchema;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, TSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
}

/** For each kind, the keywords that its shape expresses: a schema with any other one has no shape. */
const UNDERSTOOD: Readonly<Record<string, readonly string[]>> = {
  boolean: ['type'],
  integer: ['type', 'minimum', 'maximum'],
  number: ['type', 'minimum', 'maximum'],
  string: ['type', 'pattern', 'minLength', 'maxLength'],
  array: ['type', 'items', 'maxItems'],
  object: ['type', 'properties', 'required', 'additionalProperties'],
};

/** The shape of a schema; undefined when it says something that a shape cannot. */
export function shapeOf(schema: TSchema): Shape | undefined {
  const keywords = schema as Keywords;
  const names = Object.keys(keywords);
  if (keywords['~refine'] !== undefined) {
    return isBytes(keywords) && names.length <= 1 ? { kind: 'bytes' } : undefined;
  }
  if (keywords.enum !== undefined) {
    const words = keywords.enum.filter((word) => typeof word === 'string');
    return names.length === 1 && words.length === keywords.enum.length
      ? { kind: 'word', words }
      : undefined;
  }
  const { type = '' } = keywords;
  if (!names.every((name) => UNDERSTOOD[type]?.includes(name))) return undefined;
  switch (type) {
    case 'boolean':
      return { kind: 'boolean' };
    case 'integer':
    case 'number':
      return {
        kind: 'number',
        isInteger: type === 'integer',
        minimum: keywords.minimum ?? -Number.MAX_VALUE,
        maximum: keywords.maximum ?? Number.MAX_VALUE,
      };
    case 'string':
      return {
        kind: 'text',
        pattern: keywords.pattern === undefined ? undefined : new RegExp(keywords.pattern, 'u'),
        lengthMin: keywords.minLength ?? 0,
        lengthMax: keywords.maxLength ?? Infinity,
      };
    case 'array':
      return listShapeOf(keywords);
    default:
      return recordShapeOf(keywords);
  }
}

function listShapeOf({ items, maxItems = Infinity }: Keywords): Shape | undefined {
  const item = items === undefined ? undefined : shapeOf(items);
  return item === undefined ? undefined : { kind: 'list', item, itemsMax: maxItems };
}

function recordShapeOf(keywords: Keywords): RecordShape | undefined {
  const { properties, required = [], additionalProperties } = keywords;
  if (properties === undefined || additionalProperties !== false) return undefined;
  const fields = Object.entries(properties).map(([name, schema]) => ({
    name,
    isOptional: !required.includes(name),
    shape: shapeOf(schema),
  }));
  // Without a field that must be there no such record can be read or written.
  if (fields.some(({ isOptional, shape }) => !isOptional && shape === undefined)) return undefined;
  return { kind: 'record', fields };
}

/** Making a schema optional copies it, but not the function that checks it. */
function isBytes(keywords: Keywords): boolean {
  const check = keywords['~refine']?.map((refinement) => refinement.check);
  return check?.length === 1 && check[0] === (Bytes as Keywords)['~refine']?.[0]?.check;
}
