/**
 * The fast decoders and encoders of all messages, by type. Each is made when its message is first met, since most
 * processes meet few of them: it takes about a millisecond.
 */
import { MESSAGES, type MessageType } from '../message-table.ts';
import { compileReader, type ReadRecord } from './decoder.ts';
import { compileWriter, type WriteRecord } from './encoder.ts';
import { shapeOf, type RecordShape } from './shape.ts';

const giveUpReading: ReadRecord = () => undefined;
const giveUpWriting: WriteRecord = () => -1;

const readers = new Map<MessageType, ReadRecord>();
const writers = new Map<MessageType, WriteRecord>();

/** Reads the bodies of a message. */
export function readerOf(type: MessageType): ReadRecord {
  let reader = readers.get(type);
  if (reader === undefined) {
    reader = compiled(type, compileReader) ?? giveUpReading;
    readers.set(type, reader);
  }
  return reader;
}

/** Writes the bodies of a message. */
export function writerOf(type: MessageType): WriteRecord {
  let writer = writers.get(type);
  if (writer === undefined) {
    writer = compiled(type, compileWriter) ?? giveUpWriting;
    writers.set(type, writer);
  }
  return writer;
}

function compiled<T>(type: MessageType, compile: (record: RecordShape) => T): T | undefined {
  const shape = shapeOf(MESSAGES[type].schema);
  if (shape?.kind !== 'record') return undefined;
  try {
    return compile(shape);
  } catch (error) {
    // A page whose content security policy forbids code from text.
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}
