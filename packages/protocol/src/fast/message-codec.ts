/** The fast decoder and encoder of each message, by type. */
import type { TSchema } from 'typebox';
import { MESSAGES, type MessageType } from '../message-table.ts';
import { compileReader, type ReadRecord } from './decoder.ts';
import { compileWriter, type WriteRecord } from './encoder.ts';
import { shapeOf, type RecordShape } from './shape.ts';

/** How the bodies of one type of message are read and written. */
export interface MessageCodec {
  /** The number of the message. */
  readonly number: number;
  readonly read: ReadRecord;
  readonly write: WriteRecord;
}

/** The codec of a message. */
export function messageCodecOf(type: MessageType): MessageCodec {
  return codecs.get(type) as MessageCodec;
}

/** Makes decoder and encoder when they are first called, since most processes meet few of the messages. */
class LazyMessageCodec implements MessageCodec {
  readonly number: number;
  read: ReadRecord;
  write: WriteRecord;

  constructor(number: number, schema: TSchema) {
    this.number = number;
    this.read = (start, end) => {
      this.read = compiled(schema, compileReader) ?? ((): undefined => undefined);
      return this.read(start, end);
    };
    this.write = (value, position, bytes, view) => {
      this.write = compiled(schema, compileWriter) ?? ((): number => -1);
      return this.write(value, position, bytes, view);
    };
  }
}

const codecs: ReadonlyMap<string, MessageCodec> = new Map(
  Object.entries(MESSAGES).map(([type, { number, schema }]) => [
    type,
    new LazyMessageCodec(number, schema),
  ]),
);

function compiled<T>(schema: TSchema, compile: (record: RecordShape) => T): T | undefined {
  const shape = shapeOf(schema);
  if (shape?.kind !== 'record') return undefined;
  try {
    return compile(shape);
  } catch (error) {
    // A page whose content security policy forbids to make code from text.
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}
