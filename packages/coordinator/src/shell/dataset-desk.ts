/** Takes data sets in and hands them out. Which ones are kept is the core's decision. */
import { SwarmError, type Message } from '@quic-swarm/protocol';
import { refuseDataset } from '../core/datasets.ts';
import type { CoreState } from '../core/state.ts';
import { DatasetStore, type StoredDataset } from './dataset-store.ts';
import type { Driver } from './driver.ts';
import type { DatasetRequest } from './peer.ts';
import type { Statistics } from './statistics.ts';

/** See the head of this file. */
export class DatasetDesk {
  readonly #core: CoreState;
  readonly #driver: Driver;
  readonly #statistics: Statistics;
  readonly #store = new DatasetStore();

  constructor(core: CoreState, driver: Driver, statistics: Statistics) {
    this.#core = core;
    this.#driver = driver;
    this.#statistics = statistics;
  }

  has(datasetId: string): boolean {
    return this.#store.has(datasetId);
  }

  drop(datasetId: string): void {
    this.#store.drop(datasetId);
  }

  /** Answers a request on its stream: the data set, an acknowledgement, or the reason why not. Never rejects. */
  async answer(
    connectionId: string,
    request: DatasetRequest,
    reply: (message: Message) => Promise<void>,
  ): Promise<void> {
    const { requestId, datasetId } = request.body;
    try {
      if (request.type === 'PutDataset') {
        await this.#put(request.body);
        await reply({ type: 'DatasetAck', body: { requestId, datasetId, present: true } });
      } else {
        const { mediaType, bytes: payload } = this.#get(datasetId);
        await reply({ type: 'Dataset', body: { requestId, datasetId, mediaType, payload } });
        this.#driver.feed({ type: 'DatasetServed', connectionId, datasetId });
      }
    } catch (error) {
      // When the answer itself failed the connection is gone, and this one fails in the same way.
      await reply(this.#statistics.errorReport(requestId, error)).catch(() => undefined);
    }
  }

  #get(datasetId: string): StoredDataset {
    const dataset = this.#store.get(datasetId);
    if (dataset !== undefined) return dataset;
    throw new SwarmError('DATASET_NOT_FOUND', `The coordinator does not have ${datasetId}.`);
  }

  async #put(body: Extract<DatasetRequest, { type: 'PutDataset' }>['body']): Promise<void> {
    const { datasetId, mediaType, payload: bytes = new Uint8Array(0) } = body;
    const refusal = refuseDataset(this.#core, bytes.length);
    if (refusal !== undefined) throw refusal;
    await this.#store.put({ datasetId, mediaType, bytes });
    this.#driver.feed({ type: 'DatasetStored', datasetId, bytes: bytes.length });
  }
}
