/**
 * Receives one data set from a stream straight into shared memory, hashing on the way: a gigabyte is never held twice.
 */
import { createHash } from 'node:crypto';
import {
  FrameParser,
  SwarmError,
  decodeBody,
  encodeFrame,
  isExpected,
  type Message,
} from '@quic-swarm/protocol';
import type { Stream } from '@quic-swarm/transport';
import type { SharedDataset } from './thread-messages.ts';

/** Sets aside room for a data set of so many bytes, or throws what the task should fail with. */
export type Reserve = (byteLength: number) => void;

const REQUEST_ID = 1;

/**
 * Asks for a data set on a stream that was opened for it.
 * @throws DATASET_NOT_FOUND and others as the coordinator says, DATASET_CORRUPT, what `reserve` throws, and the
 * stream's own errors
 */
export function downloadDataset(
  stream: Stream,
  datasetId: string,
  reserve: Reserve,
): Promise<SharedDataset> {
  const reception = new Reception(datasetId, reserve);
  return new Promise<SharedDataset>((resolve, reject) => {
    const parser = new FrameParser((type, body) => {
      const dataset = reception.accept(decodeBody(type, body));
      if (dataset !== undefined) resolve(dataset);
    });
    const refuse = (error: unknown): void => {
      reject(error instanceof Error ? error : new Error(String(error)));
      stream.reset({ wireCode: 0, message: 'The data set is not wanted any more.' });
    };
    stream.onData = (bytes) => {
      try {
        parser.push(bytes);
      } catch (error) {
        refuse(error);
      }
    };
    stream.onEnd = () => {
      reject(new SwarmError('STREAM_RESET', 'The stream ended before the data set was complete.'));
    };
    stream.onError = reject;
    try {
      stream.write(encodeFrame({ type: 'StreamOpen', body: { purpose: 'dataset' } }));
      stream.write(encodeFrame({ type: 'GetDataset', body: { requestId: REQUEST_ID, datasetId } }));
      stream.end();
    } catch (error) {
      refuse(error);
    }
  });
}

class Reception {
  readonly #datasetId: string;
  readonly #reserve: Reserve;
  readonly #hash = createHash('sha256');
  #bytes: Uint8Array<SharedArrayBuffer> | undefined;
  #mediaType = '';
  #received = 0;

  constructor(datasetId: string, reserve: Reserve) {
    this.#datasetId = datasetId;
    this.#reserve = reserve;
  }

  /** Returns the data set when it is complete. */
  accept({ type, body }: Message): SharedDataset | undefined {
    if (type === 'ErrorReport') throw SwarmError.fromFailure(body.failure);
    if (type === 'Dataset' && this.#bytes === undefined) {
      const { payload, payloadBytes } = body;
      const byteLength = payload?.length ?? payloadBytes ?? 0;
      this.#reserve(byteLength);
      this.#mediaType = body.mediaType;
      this.#bytes = new Uint8Array(new SharedArrayBuffer(byteLength));
      return payload === undefined ? this.#finish(this.#bytes) : this.#append(payload);
    }
    if (type === 'PayloadChunk' && body.offset === this.#received) return this.#append(body.bytes);
    const reason = isExpected(type, 'coordinator', 'dataset') ? 'out of place' : 'not allowed';
    throw new SwarmError('UNEXPECTED_MESSAGE', `${type} is ${reason} on a data set stream.`);
  }

  #append(piece: Uint8Array): SharedDataset | undefined {
    const bytes = this.#bytes;
    if (bytes === undefined || this.#received + piece.length > bytes.length) {
      throw new SwarmError('BAD_MESSAGE', 'A data set has more bytes than were announced.');
    }
    bytes.set(piece, this.#received);
    this.#received += piece.length;
    this.#hash.update(piece);
    return this.#finish(bytes);
  }

  #finish(bytes: Uint8Array<SharedArrayBuffer>): SharedDataset | undefined {
    if (this.#received < bytes.length) return undefined;
    const actual = `sha256:${this.#hash.digest('hex')}`;
    if (actual !== this.#datasetId) {
      throw new SwarmError(
        'DATASET_CORRUPT',
        `The data set ${this.#datasetId} arrived with the hash ${actual}.`,
        { hint: 'Upload it again.' },
      );
    }
    return { datasetId: this.#datasetId, mediaType: this.#mediaType, buffer: bytes.buffer };
  }
}
