/** Saves what was learnt from time to time, and when the coordinator ends. */
import type { ReasoningBank } from '@quic-swarm/reasoning';
import type { ReasoningFolder } from './reasoning-folder.ts';

/** So often at most: a snapshot takes some milliseconds. */
const SAVE_INTERVAL_MS = 5000;

/** See the head of this file. */
export class ReasoningKeeper {
  readonly #bank: ReasoningBank;
  readonly #folder: ReasoningFolder;
  #savedRevision: number;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(bank: ReasoningBank, folder: ReasoningFolder) {
    this.#bank = bank;
    this.#folder = folder;
    this.#savedRevision = bank.revision;
  }

  /** Something may have been learnt: saves it soon. */
  note(): void {
    if (this.#bank.revision === this.#savedRevision) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#save();
    }, SAVE_INTERVAL_MS);
  }

  /** Saves what is not saved yet, and gives the folder back. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#bank.revision !== this.#savedRevision) this.#save();
    await this.#saving;
    await this.#folder.close();
  }

  #save(): void {
    this.#savedRevision = this.#bank.revision;
    const snapshot = this.#bank.snapshot();
    // A disk that fails is told of by the journal; what is learnt later is saved when it works again.
    this.#saving = this.#saving
      .then(async () => this.#folder.save(snapshot))
      .catch(() => undefined);
  }
}
