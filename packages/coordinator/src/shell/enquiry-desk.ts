/** Answers what clients want to know, and what the shell does for them by itself: everything that decides nothing. */
import type { Message } from '@quic-swarm/protocol';
import type { DatasetDesk } from './dataset-desk.ts';
import type { Driver } from './driver.ts';
import type { Peer } from './peer.ts';
import type { ReasoningDesk } from './reasoning-desk.ts';
import type { Statistics } from './statistics.ts';
import type { StatusReporter } from './status-report.ts';

/** Who knows what. */
export interface EnquirySources {
  readonly driver: Driver;
  readonly statistics: Statistics;
  readonly reporter: StatusReporter;
  readonly datasets: DatasetDesk;
  readonly reasoning: ReasoningDesk;
}

/** See the head of this file. */
export class EnquiryDesk {
  readonly #sources: EnquirySources;

  constructor(sources: EnquirySources) {
    this.#sources = sources;
  }

  /** Answers a message on the control stream of its sender; false: it is none of these, and nothing was done. */
  answer(peer: Peer, message: Message): boolean {
    const { driver, reporter, datasets, reasoning } = this.#sources;
    switch (message.type) {
      case 'QueryStatus': {
        const { body } = message;
        this.#now(peer, body.requestId, () => ({
          type: 'StatusReport',
          body: reporter.answer(body, body.requestId, driver.now()),
        }));
        return true;
      }
      case 'QueryDataset': {
        const { requestId, datasetId } = message.body;
        this.#now(peer, requestId, () => ({
          type: 'DatasetAck',
          body: { requestId, datasetId, present: datasets.has(datasetId) },
        }));
        return true;
      }
      case 'QueryReasoning': {
        const { body } = message;
        this.#later(peer, body.requestId, async () => ({
          type: 'ReasoningReport',
          body: await reasoning.answer(body),
        }));
        return true;
      }
      case 'ControlReasoning': {
        const { body } = message;
        if (body.action !== 'import') return false;
        this.#later(peer, body.requestId, async () => {
          await reasoning.import(body);
          return {
            type: 'MessageAck',
            body: { requestId: body.requestId, status: 'PROCESSED' },
          };
        });
        return true;
      }
      default:
        return false;
    }
  }

  #now(peer: Peer, requestId: number, make: () => Message): void {
    // The answer is about everything that was said before the question.
    this.#sources.driver.settle();
    try {
      peer.send('control', make());
    } catch (error) {
      peer.send('control', this.#sources.statistics.errorReport(requestId, error));
    }
  }

  #later(peer: Peer, requestId: number, make: () => Promise<Message>): void {
    this.#sources.driver.settle();
    void make()
      .catch((error: unknown) => this.#sources.statistics.errorReport(requestId, error))
      .then((message) => {
        peer.send('control', message);
      });
  }
}
