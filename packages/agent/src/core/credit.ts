/**
 * How many leases the agent takes at once. A tenth more than it has slots is enough for tasks that take a while: a slot
 * never waits for the wire then. Tiny tasks are done before the next one is there, and each costs a hop to a thread
 * unless several lie at hand. So while its tasks prove to be tiny the agent takes as many ahead as make some
 * milliseconds of work, and no more: what lies here cannot be begun by another agent meanwhile.
 *
 * Careful upwards, at once downwards: it takes twice as many ahead when all that it was given before were small and the
 * coordinator used the whole credit; it takes far fewer as soon as the mean says so, half as many when it was held up,
 * and none after one long task.
 */
import { KNOWN_AFTER_TASKS, SMALL_TASK_MS } from './thread-batching.ts';
import { HELD_LEASES_MAX } from './leases.ts';

/** So much work lies at hand for each thread: what a busy network takes to bring more, a few times over. */
export const AT_HAND_MS = 4;

/** Tasks that are taken ahead at most: four full batches. */
export const AHEAD_TASKS_MAX = 256;

/** Bytes of the inputs of all that is taken ahead, about. */
export const AHEAD_BYTES_MAX: number = 1024 * 1024;

/** After a task that took so long none is taken ahead: no pause of the machine is so long, or hardly any. */
export const LONG_TASK_MS = 50;

/** Tiny tasks wait so long while nothing ends: a few times the work that should lie here, and what a busy machine pauses. */
export const HELD_UP_MS: number = 4 * AT_HAND_MS;

/** Changes by less than this factor are not worth a message. */
const STEP = 2;

/** Weight of the newest task in the moving averages; while there are few tasks, these are plain means. */
const WEIGHT = 1 / 32;

/** One pause of the machine says little about the tasks, so that none counts for more than this. */
const COUNTED_MS_MAX: number = 2 * SMALL_TASK_MS;

/** Times shorter than this are not told from each other: the clock and the handler's call are of that order. */
const SHORTEST_MS = 0.005;

/** How many leases an agent takes at once in any case: a tenth more than it computes. */
export function creditOf(slots: number): number {
  return slots + Math.ceil(0.1 * slots);
}

/** What the rule learns of a task that has ended. */
export interface DoneTask {
  /** What it took of its slot. */
  readonly tookMs: number;
  readonly inputBytes: number;
  /** It came with data sets, which are not to be brought here for many tasks at once. */
  readonly hasDatasets: boolean;
}

/** The credit of one agent. */
export class Credit {
  readonly #slots: number;
  readonly #threads: number;
  readonly #aheadMax: number;
  #ahead = 0;
  #isHeldUp = false;
  #most: number;
  #tasksInAll = 0;
  /** Tasks since the last change. */
  #tasks = 0;
  #meanMs = 0;
  #meanBytes = 0;
  /** The coordinator has used the whole credit since the last change. */
  #wasUsedUp = false;

  /** @param threads how many slots can really compute at the same time */
  constructor(slots: number, threads: number) {
    this.#slots = slots;
    this.#threads = Math.min(slots, threads);
    // More than a handshake lists would be computed anew after a lost connection.
    this.#aheadMax = Math.max(0, Math.min(AHEAD_TASKS_MAX, HELD_LEASES_MAX - creditOf(slots)));
    this.#most = this.granted;
  }

  /** What the coordinator should be told. While the agent is held up, not even a tenth more than it computes. */
  get granted(): number {
    return this.#isHeldUp ? this.#slots : creditOf(this.#slots) + this.#ahead;
  }

  /** The highest that the coordinator was told on this connection: what it sent by that may still arrive. */
  get most(): number {
    return this.#most;
  }

  /** The present grant is told on a new connection. */
  tellAnew(): void {
    this.#most = this.granted;
  }

  /** So many leases are held now. */
  noteHeld(leases: number): void {
    if (leases >= this.granted) this.#wasUsedUp = true;
  }

  /** Small tasks wait, and nothing has ended for long: what lies here should go to others, and nothing more come. */
  heldUp(): void {
    this.#isHeldUp = true;
    this.#change(Math.floor(this.#ahead / STEP));
  }

  /** Something has ended. */
  movedOn(): void {
    this.#isHeldUp = false;
    // It may have been held up since the connection began, and what is granted now is more than was told on it.
    this.#most = Math.max(this.#most, this.granted);
  }

  /** A task has ended. */
  noteTask({ tookMs, inputBytes, hasDatasets }: DoneTask): void {
    this.#tasks += 1;
    const countedMs = hasDatasets ? COUNTED_MS_MAX : Math.min(COUNTED_MS_MAX, tookMs);
    this.#tasksInAll += 1;
    const weight = Math.max(WEIGHT, 1 / this.#tasksInAll);
    this.#meanMs += (countedMs - this.#meanMs) * weight;
    this.#meanBytes += (inputBytes - this.#meanBytes) * weight;
    if (tookMs >= LONG_TASK_MS) {
      this.#change(0);
      return;
    }
    const wanted = this.#wanted();
    if (wanted * STEP < this.#ahead) this.#change(wanted);
    else if (this.#mayGrow && wanted >= this.#ahead * STEP) {
      this.#change(Math.min(wanted, Math.max(KNOWN_AFTER_TASKS, this.#ahead * STEP)));
    }
  }

  get #mayGrow(): boolean {
    return this.#wasUsedUp && this.#tasks >= Math.max(KNOWN_AFTER_TASKS, this.#ahead);
  }

  /** How many should lie here besides those in the slots, by what the tasks are like. */
  #wanted(): number {
    if (this.#meanMs >= SMALL_TASK_MS) return 0;
    const byTime = (this.#threads * AT_HAND_MS) / Math.max(SHORTEST_MS, this.#meanMs);
    const byBytes = AHEAD_BYTES_MAX / Math.max(1, this.#meanBytes);
    return Math.floor(Math.min(byTime, byBytes, this.#aheadMax));
  }

  #change(ahead: number): void {
    this.#ahead = ahead;
    this.#most = Math.max(this.#most, this.granted);
    this.#tasks = 0;
    this.#wasUsedUp = false;
  }
}
