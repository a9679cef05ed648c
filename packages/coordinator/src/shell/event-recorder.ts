/** Writes a recording to a file as it happens, and reads one back. */
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { SwarmError } from '@quic-swarm/protocol';
import type { CoordinatorEffect } from '../core/effects.ts';
import type { CoordinatorEvent } from '../core/events.ts';
import type { CoreOptions } from '../core/options.ts';
import {
  RECORDING_FORMAT,
  decodeEntry,
  encodeEntry,
  settlingOf,
  type RecordingEntry,
} from '../core/recording.ts';

/** Entries that the disk has not taken; a recording that falls so far behind is given up. */
const WAITING_BYTES_MAX = 256 * 1024 * 1024;

const LENGTH_BYTES = 4;

/** See the head of this file. Each entry has its length before it: four bytes, big-endian. */
export class EventRecorder {
  readonly #file: WriteStream;
  readonly #onFailed: (error: SwarmError) => void;
  #hasEnded = false;

  /** @param onFailed hears, once, that no more is recorded, and why */
  private constructor(file: WriteStream, onFailed: (error: SwarmError) => void) {
    this.#file = file;
    this.#onFailed = onFailed;
    file.on('error', (error) => {
      this.#fail(error);
    });
  }

  /** Begins a new file; rejects with BAD_OPTION where that cannot be. */
  static async create(
    path: string,
    software: string,
    options: CoreOptions,
    onFailed: (error: SwarmError) => void,
  ): Promise<EventRecorder> {
    const file = createWriteStream(path, { mode: 0o600 });
    await new Promise<void>((resolve, reject) => {
      file.once('open', () => {
        resolve();
      });
      file.once('error', (error) => {
        reject(
          new SwarmError('BAD_OPTION', `The recording cannot be written to ${path}.`, {
            cause: error,
            hint: 'Name a file in a folder that may be written to.',
          }),
        );
      });
    });
    const recorder = new EventRecorder(file, onFailed);
    recorder.#write({ kind: 'start', format: RECORDING_FORMAT, software, options });
    return recorder;
  }

  took(event: CoordinatorEvent, atMs: number): void {
    if (!this.#hasEnded) this.#write({ kind: 'event', atMs, event });
  }

  settled(effects: readonly CoordinatorEffect[]): void {
    if (!this.#hasEnded) this.#write(settlingOf(effects));
  }

  /** Resolves when everything is in the file. */
  async close(): Promise<void> {
    this.#hasEnded = true;
    await new Promise<void>((resolve) => {
      this.#file.once('close', resolve);
      this.#file.end();
      if (this.#file.destroyed) resolve();
    });
  }

  #write(entry: RecordingEntry): void {
    const bytes = encodeEntry(entry);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(bytes.length);
    this.#file.write(length);
    this.#file.write(bytes);
    if (this.#file.writableLength > WAITING_BYTES_MAX) {
      this.#fail(new Error('The disk is slower than what happens.'));
    }
  }

  #fail(error: Error): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#file.destroy();
    const { path } = this.#file;
    this.#onFailed(
      new SwarmError('STORE_FAILED', `The recording ${String(path)} ends here.`, { cause: error }),
    );
  }
}

/** Reads a recording. An entry that was cut short, by a crash, ends it. Rejects with BAD_INPUT where the file is none. */
export async function* readRecording(path: string): AsyncGenerator<RecordingEntry> {
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const piece of createReadStream(path)) {
      rest = Buffer.concat([rest, piece as Buffer]);
      let at = 0;
      while (rest.length - at >= LENGTH_BYTES) {
        const end = at + LENGTH_BYTES + rest.readUInt32BE(at);
        if (end > rest.length) break;
        yield decodeEntry(new Uint8Array(rest.subarray(at + LENGTH_BYTES, end)));
        at = end;
      }
      rest = rest.subarray(at);
    }
  } catch (error) {
    if (error instanceof SwarmError) throw error;
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new SwarmError('BAD_INPUT', `The recording ${path} cannot be read (${code}).`, {
      cause: error,
      hint: 'Make one with: coordinator ADDR --record FILE.',
    });
  }
}
