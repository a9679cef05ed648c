/** When quick tasks wait here behind long ones for so long that they should go elsewhere. */
import { HELD_UP_MS } from './credit.ts';
import type { HeldLease, LeaseTable } from './leases.ts';
import { isKnownUnder } from './thread-batching.ts';

/** A type counts as quick behind long tasks when its tasks take less than an eighth of what those have taken. */
const QUICK_TASK_MS: number = HELD_UP_MS / 8;

/** Watches whether anything moves while tasks wait. */
export class HoldUp {
  readonly #leases: LeaseTable;
  #movedAtMs = 0;

  constructor(leases: LeaseTable) {
    this.#leases = leases;
  }

  /** Something has ended or was started. */
  moved(nowMs: number): void {
    this.#movedAtMs = nowMs;
  }

  /** When to ask for the leases that are held up; undefined while no quick one waits for a slot. */
  get dueAtMs(): number | undefined {
    if (this.#leases.hasFreeSlot) return undefined;
    for (const held of this.#leases.waiting) {
      if (isQuick(held)) return this.#movedAtMs + HELD_UP_MS;
    }
    return undefined;
  }

  /** The quick leases that are held up now. */
  heldUp(nowMs: number): HeldLease[] {
    const { dueAtMs } = this;
    if (dueAtMs === undefined || nowMs < dueAtMs) return [];
    if (nowMs - dueAtMs > HELD_UP_MS / 2) {
      // This process had no turn, and the ends of tasks may wait to be heard: asked again when they had theirs.
      this.#movedAtMs = nowMs - HELD_UP_MS / 2;
      return [];
    }
    return [...this.#leases.waiting].filter(isQuick);
  }
}

/** True when the task is known to take so little that it should not wait behind one that takes long. */
function isQuick({ kind, datasetIds }: HeldLease): boolean {
  // Data sets were brought here for it, and would have to be brought to another.
  return datasetIds.length === 0 && isKnownUnder(kind.serviceTime, QUICK_TASK_MS);
}
