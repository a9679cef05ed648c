/**
 * Data sets: uploaded once, named by the hash of their bytes, referred to by tasks. The client keeps nothing of them but
 * how many rows they have: after `putTable` the caller may drop the columns, and a coordinator that lost the data set
 * wants it uploaded again.
 */
import { createHash, type Hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  SwarmError,
  TABLE_MEDIA_TYPE,
  decodeTable,
  encodeTable,
  isSwarmError,
  type Message,
  type MessageOf,
  type Table,
  checkMessage,
} from '@quic-swarm/protocol';
import { exchange } from './dataset-stream.ts';
import type { Driver } from './driver.ts';

/** Hashing so much takes a few milliseconds; between two pieces others have their turn. */
const HASH_PIECE_BYTES = 8 * 1024 * 1024;

/** Tables whose rows are remembered. */
const TABLES_MAX = 1024;

type ColumnValues = Float64Array | readonly number[];

/** Columns of a table by name: 64-bit floats of equal length, NaN for a gap. */
export type Columns = Readonly<Record<string, ColumnValues>> | ReadonlyMap<string, ColumnValues>;

/** Options of `putDataset`. */
export interface PutDatasetOptions {
  /** How the bytes are to be read. @default 'application/octet-stream' */
  readonly mediaType?: string | undefined;
  /** For people. */
  readonly name?: string | undefined;
}

/** A data set that the coordinator has. */
export interface DatasetReference {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly datasetId: string;
  readonly bytes: number;
  /** False when the coordinator had it already and nothing was sent. */
  readonly uploaded: boolean;
}

/** A table that the coordinator has. */
export interface TableReference extends DatasetReference {
  readonly rows: number;
  /** Their names, in order. */
  readonly columns: readonly string[];
}

/** A data set that was fetched. */
export interface DatasetContent {
  readonly datasetId: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  /** Its columns, which share memory with `bytes`. Throws DATASET_CORRUPT when it is no table. */
  table(): Table;
}

/** The data sets of one coordinator. */
export class Datasets {
  readonly #driver: Driver;
  readonly #timeoutMs: number;
  /** Rows of the tables that were put, by id, the oldest first. */
  readonly #rows = new Map<string, number>();

  /** `timeoutMs` bounds the wait for a connection and for the answer to a question. */
  constructor(driver: Driver, timeoutMs: number) {
    this.#driver = driver;
    this.#timeoutMs = timeoutMs;
  }

  /** See `SwarmClient.putTable`. */
  async putTable(columns: Columns, name?: string): Promise<TableReference> {
    const named = columns instanceof Map ? [...columns] : Object.entries(columns);
    const entries = named.map(
      ([column, values]: [string, ColumnValues]): [string, Float64Array] => [
        column,
        values instanceof Float64Array ? values : Float64Array.from(values),
      ],
    );
    const bytes = encodeTable(new Map(entries));
    const reference = await this.put(bytes, { mediaType: TABLE_MEDIA_TYPE, name });
    const rows = entries[0]?.[1].length ?? 0;
    this.#rows.set(reference.datasetId, rows);
    const oldest = this.#rows.keys().next();
    if (this.#rows.size > TABLES_MAX && oldest.done !== true) this.#rows.delete(oldest.value);
    return { ...reference, rows, columns: entries.map(([column]) => column) };
  }

  /** Rows of a table that this client has put; undefined of others. */
  rowsOf(datasetId: string): number | undefined {
    return this.#rows.get(datasetId);
  }

  /** See `SwarmClient.putDataset`. */
  async put(bytes: Uint8Array, options: PutDatasetOptions): Promise<DatasetReference> {
    const { mediaType = 'application/octet-stream', name } = options;
    const datasetId = await datasetIdOf(bytes);
    const body = {
      requestId: this.#driver.newRequestId(),
      datasetId,
      mediaType,
      ...(name === undefined ? {} : { name }),
    };
    checkMessage({ type: 'PutDataset', body }, 'BAD_OPTION');
    if (await this.#has(datasetId)) return { datasetId, bytes: bytes.length, uploaded: false };
    await this.#exchange({ type: 'PutDataset', body: { ...body, payload: bytes } }, 'DatasetAck');
    return { datasetId, bytes: bytes.length, uploaded: true };
  }

  /** See `SwarmClient.getDataset`. */
  async get(datasetId: string): Promise<DatasetContent> {
    const requestId = this.#driver.newRequestId();
    const message = { type: 'GetDataset', body: { requestId, datasetId } } as const;
    checkMessage(message, 'BAD_OPTION');
    const { body } = await this.#exchange(message, 'Dataset');
    const received = body.payload ?? new Uint8Array(0);
    if ((await datasetIdOf(received)) !== datasetId) {
      throw new SwarmError('DATASET_CORRUPT', `What came as ${datasetId} has another hash.`);
    }
    // A table is read in place, for which its first byte must lie at a multiple of eight.
    const bytes = received.byteOffset % 8 === 0 ? received : received.slice();
    return { datasetId, mediaType: body.mediaType, bytes, table: () => decodeTable(bytes) };
  }

  async #has(datasetId: string): Promise<boolean> {
    const body = { requestId: this.#driver.newRequestId(), datasetId };
    const question = { type: 'QueryDataset', body } as const;
    const answer = await this.#driver.request('DatasetAck', question, this.#timeoutMs);
    return answer.present;
  }

  /** Both questions may be repeated harmlessly, so a connection that is lost under way costs one more try. */
  async #exchange<T extends 'DatasetAck' | 'Dataset'>(
    message: MessageOf<'PutDataset'> | MessageOf<'GetDataset'>,
    answerType: T,
  ): Promise<MessageOf<T>> {
    for (let attempt = 0; ; attempt += 1) {
      const connection = await this.#driver.connected(this.#timeoutMs);
      try {
        this.#checkLength(message, connection.ack.grants.datasetBytesMax);
        return expectType(await exchange(connection, message), answerType);
      } catch (error) {
        const isLost = isSwarmError(error) && error.code === 'UNAVAILABLE' && !connection.isOpen;
        if (!isLost || attempt > 0) throw error;
      }
    }
  }

  #checkLength(message: Message, bytesMax: number): void {
    const bytes = message.type === 'PutDataset' ? (message.body.payload?.length ?? 0) : 0;
    if (bytes <= bytesMax) return;
    throw new SwarmError(
      'PAYLOAD_TOO_LARGE',
      `The data set has ${bytes} bytes; the coordinator takes at most ${bytesMax}.`,
      { hint: 'Split it, or raise the bound of the coordinator.' },
    );
  }
}

/** The name of these bytes. Do not change them until it is known. */
export async function datasetIdOf(bytes: Uint8Array): Promise<string> {
  const hash: Hash = createHash('sha256');
  for (let offset = 0; offset < bytes.length; offset += HASH_PIECE_BYTES) {
    if (offset > 0) await nextTurn();
    hash.update(bytes.subarray(offset, offset + HASH_PIECE_BYTES));
  }
  return `sha256:${hash.digest('hex')}`;
}

function expectType<T extends 'DatasetAck' | 'Dataset'>(message: Message, type: T): MessageOf<T> {
  if (message.type === type) return message as MessageOf<T>;
  throw new SwarmError(
    'BAD_MESSAGE',
    `The coordinator answered with ${message.type}, not ${type}.`,
  );
}
