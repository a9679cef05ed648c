/** Finds leases by their name. See chain.ts for why it is no Map. */
import type { Lease } from '@quic-swarm/protocol';

/** Rows of leases; many more than an agent usually holds, so that nearly every row has one at most. */
const ROWS = 1024;

/** What is found. */
export interface Indexed<T> {
  readonly lease: Lease;
  /** The next one in the same row. Nobody but the index changes it. */
  nextInRow: T | undefined;
}

/** True when both are the right to the same attempt. */
export function isSameLease(a: Lease, b: Lease): boolean {
  return a.taskId === b.taskId && a.attempt === b.attempt && a.epoch === b.epoch;
}

/** Leases by name. */
export class LeaseIndex<T extends Indexed<T>> {
  readonly #rows: (T | undefined)[] = Array.from({ length: ROWS }, () => undefined);

  find(lease: Lease): T | undefined {
    let held = this.#rows[rowOf(lease.taskId)];
    while (held !== undefined && !isSameLease(held.lease, lease)) held = held.nextInRow;
    return held;
  }

  /** Adds a lease that is not there. */
  add(held: T): void {
    const row = rowOf(held.lease.taskId);
    held.nextInRow = this.#rows[row];
    this.#rows[row] = held;
  }

  /** Takes out a lease that is there. */
  delete(held: T): void {
    const row = rowOf(held.lease.taskId);
    const { nextInRow } = held;
    held.nextInRow = undefined;
    let before = this.#rows[row];
    if (before === held) {
      this.#rows[row] = nextInRow;
      return;
    }
    while (before !== undefined && before.nextInRow !== held) before = before.nextInRow;
    if (before !== undefined) before.nextInRow = nextInRow;
  }
}

/** FNV-1a over the text. Clients choose the ids, and could at worst make a row as long as the list of all that is held. */
function rowOf(taskId: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < taskId.length; at += 1) {
    hash = Math.imul(hash ^ taskId.charCodeAt(at), 0x01000193);
  }
  return (hash ^ (hash >>> 16)) & (ROWS - 1);
}
