/** Takes data sets in and hands them out. Which ones are kept is the core's decision. */
import {
  RESULT_MEDIA_TYPE,
  SwarmError,
  decodedBytesOf,
  encodeDocument,
  resultIdOf,
  taskIdOfResult,
  type BodyOf,
  type Message,
} from '@quic-swarm/protocol';
import { refuseDataset } from '../core/datasets.ts';
import type { CoreState } from '../core/state.ts';
import type { DatasetFolder } from './dataset-folder.ts';
import { DatasetStore, datasetIdOf, plainBytesOf, type StoredDataset } from './dataset-store.ts';
import type { Driver } from './driver.ts';
import type { DatasetRequest } from './peer.ts';
import type { Statistics } from './statistics.ts';

/** See the head of this file. */
export class DatasetDesk {
  readonly #core: CoreState;
  readonly #driver: Driver;
  readonly #statistics: Statistics;
  readonly #store = new DatasetStore();
  /** Where they survive this process. */
  readonly #folder: DatasetFolder | undefined;

  constructor(
    core: CoreState,
    driver: Driver,
    statistics: Statistics,
    folder: DatasetFolder | undefined,
  ) {
    this.#folder = folder;
    this.#core = core;
    this.#driver = driver;
    this.#statistics = statistics;
  }

  has(datasetId: string): boolean {
    return this.#store.has(datasetId);
  }

  drop(datasetId: string): void {
    this.#store.drop(datasetId);
    // What stays there although nobody needs it is found, and dropped again, by the next life.
    void this.#folder?.drop(datasetId).catch(() => undefined);
  }

  /** Takes in what earlier lives have left. Resolves with what was damaged, which is left alone. */
  async restore(): Promise<readonly string[]> {
    const damaged: string[] = [];
    for (const datasetId of (await this.#folder?.ids()) ?? []) {
      try {
        const dataset = await this.#folder?.read(datasetId);
        if (dataset === undefined) continue;
        await this.#store.put(dataset);
        const bytes = dataset.encoding?.decodedBytes ?? dataset.bytes.length;
        this.#driver.feed({ type: 'DatasetStored', datasetId, bytes });
      } catch {
        damaged.push(datasetId);
      }
    }
    return damaged;
  }

  /**
   * Answers a request on its stream: the data set, an acknowledgement, or the reason why not. Never rejects.
   * @param reply resolves with the message as it was sent
   */
  async answer(
    connectionId: string,
    request: DatasetRequest,
    reply: (message: Message) => Promise<Message>,
  ): Promise<void> {
    const { requestId, datasetId } = request.body;
    try {
      if (request.type === 'PutDataset') {
        await this.#put(request.body);
        await reply({ type: 'DatasetAck', body: { requestId, datasetId, present: true } });
      } else {
        const stored = this.#get(datasetId);
        const { mediaType, bytes: payload, encoding } = stored;
        const body = { requestId, datasetId, mediaType, payload };
        const sent = await reply({
          type: 'Dataset',
          body: { ...body, ...(encoding === undefined ? {} : { payloadEncoding: encoding }) },
        });
        if (sent.type === 'Dataset') this.#keepEncoded(stored, sent.body);
        if (taskIdOfResult(datasetId) === undefined) {
          this.#driver.feed({ type: 'DatasetServed', connectionId, datasetId });
        }
      }
    } catch (error) {
      // When the answer itself failed the connection is gone, and this one fails in the same way.
      await reply(this.#statistics.errorReport(requestId, error)).catch(() => undefined);
    }
  }

  /** Keeps bytes of the coordinator's own for somebody to fetch; resolves with their name. */
  async keep(mediaType: string, bytes: Uint8Array): Promise<string> {
    const datasetId = await datasetIdOf({ bytes, encoding: undefined });
    await this.#put({ requestId: 0, datasetId, mediaType, payload: bytes });
    return datasetId;
  }

  /** The bytes of a data set; rejects with DATASET_NOT_FOUND, or BAD_INPUT where it is something else. */
  async bytesOf(datasetId: string, mediaType: string): Promise<Uint8Array> {
    const dataset = this.#get(datasetId);
    if (dataset.mediaType === mediaType) return plainBytesOf(dataset);
    throw new SwarmError('BAD_INPUT', `${datasetId} is ${dataset.mediaType}, not ${mediaType}.`);
  }

  /** What was encoded for one is not encoded again for the next, and takes less memory. */
  #keepEncoded(stored: StoredDataset, { payload, payloadEncoding }: BodyOf<'Dataset'>): void {
    if (stored.encoding !== undefined || payload === undefined || payloadEncoding === undefined)
      return;
    this.#store.replace({ ...stored, bytes: payload, encoding: payloadEncoding });
  }

  #get(datasetId: string): StoredDataset {
    const taskId = taskIdOfResult(datasetId);
    const dataset = taskId === undefined ? this.#store.get(datasetId) : this.#resultOf(taskId);
    if (dataset !== undefined) return dataset;
    throw new SwarmError('DATASET_NOT_FOUND', `The coordinator does not have ${datasetId}.`);
  }

  /** The result of a task that has succeeded; one without is an empty document. */
  #resultOf(taskId: string): StoredDataset | undefined {
    const task = this.#core.tasks.get(taskId);
    if (task?.state !== 'succeeded') return undefined;
    const { result = encodeDocument(null), resultEncoding } = task;
    const datasetId = resultIdOf(taskId);
    return { datasetId, mediaType: RESULT_MEDIA_TYPE, bytes: result, encoding: resultEncoding };
  }

  async #put(body: Extract<DatasetRequest, { type: 'PutDataset' }>['body']): Promise<void> {
    const { datasetId, mediaType, payload = new Uint8Array(0), payloadEncoding } = body;
    const bytes = decodedBytesOf(body);
    const refusal = refuseDataset(this.#core, bytes);
    if (refusal !== undefined) throw refusal;
    const dataset = { datasetId, mediaType, bytes: payload, encoding: payloadEncoding };
    await this.#store.put(dataset);
    try {
      await this.#folder?.put(dataset);
    } catch (error) {
      this.#store.drop(datasetId);
      throw error;
    }
    this.#driver.feed({ type: 'DatasetStored', datasetId, bytes });
  }
}
