/**
 * Receives one data set from a stream straight into shared memory, hashing on the way: a gigabyte is never held twice.
 */
import { createHash } from 'node:crypto';
import {
  FrameParser,
  SwarmError,
  decodeBody,
  decodedBytesOf,
  encodeFrame,
  isExpected,
  taskIdOfResult,
  type Message,
} from '@quic-swarm/protocol';
import { Inflation, type PayloadCoder, type Stream } from '@quic-swarm/transport';
import type { SharedDataset } from './thread-messages.ts';

/** A stream that was opened for a data set, and what checks how that is encoded. */
export interface DatasetStream {
  readonly stream: Stream;
  readonly coder: Pick<PayloadCoder, 'check'>;
}

/** Sets aside room for a data set of so many bytes, or throws what the task should fail with. */
export type Reserve = (byteLength: number) => void;

const REQUEST_ID = 1;

/**
 * Asks for a data set on a stream that was opened for it.
 * @throws DATASET_NOT_FOUND and others as the coordinator says, DATASET_CORRUPT, BAD_ENCODING, what `reserve` throws, and the
 * stream's own errors
 */
export function downloadDataset(
  { stream, coder }: DatasetStream,
  datasetId: string,
  reserve: Reserve,
): Promise<SharedDataset> {
  return new Promise<SharedDataset>((resolve, reject) => {
    const refuse = (error: unknown): void => {
      reject(error instanceof Error ? error : new Error(String(error)));
      reception.stop();
      stream.reset({ wireCode: 0, message: 'The data set is not wanted any more.' });
    };
    const reception = new Reception({ datasetId, reserve, coder, stream, resolve, refuse });
    const parser = new FrameParser((type, body, owned) => {
      // What is decoded on another thread is read later than the receive buffer is used again.
      reception.accept(decodeBody(type, body, owned ? 'share' : 'copy'));
    });
    stream.onData = (bytes) => {
      try {
        parser.push(bytes);
      } catch (error) {
        refuse(error);
      }
    };
    stream.onEnd = () => {
      if (reception.isComplete) return;
      reject(new SwarmError('STREAM_RESET', 'The stream ended before the data set was complete.'));
    };
    stream.onError = (error) => {
      reception.stop();
      reject(error);
    };
    try {
      stream.write(encodeFrame({ type: 'StreamOpen', body: { purpose: 'dataset' } }));
      stream.write(encodeFrame({ type: 'GetDataset', body: { requestId: REQUEST_ID, datasetId } }));
      stream.end();
    } catch (error) {
      refuse(error);
    }
  });
}

interface ReceptionOptions {
  readonly datasetId: string;
  readonly reserve: Reserve;
  readonly coder: Pick<PayloadCoder, 'check'>;
  readonly stream: Stream;
  readonly resolve: (dataset: SharedDataset) => void;
  readonly refuse: (error: unknown) => void;
}

class Reception {
  readonly #options: ReceptionOptions;
  readonly #hash = createHash('sha256');
  #bytes: Uint8Array<SharedArrayBuffer> | undefined;
  #mediaType = '';
  /** Bytes of chunks that have come, as they travel, and how many there are. */
  #received = 0;
  #announced = 0;
  /** Plain bytes that lie in place. */
  #placed = 0;
  /** Where the data set travels encoded. */
  #inflation: Inflation | undefined;

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /** Everything has come, though it may still be decoded. */
  get isComplete(): boolean {
    return this.#bytes !== undefined && this.#received === this.#announced;
  }

  /** Nobody waits for it any more. */
  stop(): void {
    this.#inflation?.stop();
  }

  /** Takes one message; resolves with the data set when it is complete. */
  accept(message: Message): void {
    const { type, body } = message;
    if (type === 'ErrorReport') throw SwarmError.fromFailure(body.failure);
    if (type === 'Dataset' && this.#bytes === undefined) {
      const { coder, reserve } = this.#options;
      coder.check(message, Number.MAX_SAFE_INTEGER);
      const { payload, payloadBytes, payloadEncoding } = body;
      const byteLength = decodedBytesOf(body);
      reserve(byteLength);
      this.#mediaType = body.mediaType;
      this.#announced = payload?.length ?? payloadBytes ?? 0;
      this.#bytes = new Uint8Array(new SharedArrayBuffer(byteLength));
      if (payloadEncoding !== undefined) {
        this.#inflation = new Inflation(byteLength, (piece) => this.#place(piece));
      }
      if (payload !== undefined) this.#append(payload);
      else if (this.#announced === 0) this.#finish();
    } else if (type === 'PayloadChunk' && body.offset === this.#received) {
      this.#append(body.bytes);
    } else {
      const reason = isExpected(type, 'coordinator', 'dataset') ? 'out of place' : 'not allowed';
      throw new SwarmError('UNEXPECTED_MESSAGE', `${type} is ${reason} on a data set stream.`);
    }
  }

  #append(piece: Uint8Array): void {
    if (this.#bytes === undefined || this.#received + piece.length > this.#announced) {
      throw new SwarmError('BAD_MESSAGE', 'A data set has more bytes than were announced.');
    }
    this.#received += piece.length;
    const inflation = this.#inflation;
    if (inflation === undefined) {
      this.#place(piece);
      if (this.isComplete) this.#finish();
      return;
    }
    const { stream, refuse } = this.#options;
    if (!inflation.push(piece) && !this.isComplete) {
      // The network is faster than the decoder: flow control tells the coordinator.
      stream.pause();
      void inflation.ready().then(() => stream.resume());
    }
    if (this.isComplete)
      void inflation
        .end()
        .then(() => this.#finish())
        .catch(refuse);
  }

  #place(piece: Uint8Array): void {
    this.#bytes?.set(piece, this.#placed);
    this.#placed += piece.length;
    this.#hash.update(piece);
  }

  #finish(): void {
    const { datasetId, resolve } = this.#options;
    const actual = `sha256:${this.#hash.digest('hex')}`;
    // The result of a task has no hash in its name.
    if (actual !== datasetId && taskIdOfResult(datasetId) === undefined) {
      throw new SwarmError(
        'DATASET_CORRUPT',
        `The data set ${datasetId} arrived with the hash ${actual}.`,
        { hint: 'Upload it again.' },
      );
    }
    const buffer = this.#bytes?.buffer ?? new SharedArrayBuffer(0);
    resolve({ datasetId, mediaType: this.#mediaType, buffer });
  }
}
