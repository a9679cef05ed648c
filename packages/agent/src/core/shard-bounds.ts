/**
 * What the shards of one search have proved: no window above a distance matters to any of them. An agent tells the coordinator
 * of lower bounds, and hears of those of other agents.
 */
import type { Lease, Message, ShardBound } from '@quic-swarm/protocol';
import type { Effect } from './effects.ts';
import type { HeldLease, LeaseTable } from './leases.ts';

/** A bound that is less than a hundredth better than the last one is not worth a message. */
const BOUND_SHARE = 0.99;

/** See the head of the file. */
export class ShardBounds {
  /** The coordinator passes them on. */
  areShared = false;
  readonly #leases: LeaseTable;
  readonly #send: (message: Message, effects: Effect[]) => void;

  /** @param send sends on the dispatch stream while there is a connection */
  constructor(leases: LeaseTable, send: (message: Message, effects: Effect[]) => void) {
    this.#leases = leases;
    this.#send = send;
  }

  /** A shard has proved a bound: the others of its task may use it. */
  proved(lease: Lease, distance: number, effects: Effect[]): void {
    const held = this.#leases.findIn('running', lease);
    if (held?.bound === undefined || distance > BOUND_SHARE * held.bound) return;
    held.bound = distance;
    // With the start, if that was not told yet.
    if (held.isStartSaid) this.say(held, effects);
  }

  /** Another shard has. */
  heard({ epoch, taskId, attempt, distance }: ShardBound, effects: Effect[]): void {
    const held = this.#leases.findIn('running', { epoch, taskId, attempt });
    if (held?.bound === undefined || distance === undefined || distance >= held.bound) return;
    held.bound = distance;
    effects.push({ type: 'ShareBound', lease: held.lease, distance });
  }

  /** Says what a shard has proved; of one that has proved nothing that it wants to hear of others. */
  say({ lease, bound }: HeldLease, effects: Effect[]): void {
    if (bound === undefined || !this.areShared) return;
    const body = bound === Infinity ? lease : { ...lease, distance: bound };
    this.#send({ type: 'ShardBound', body }, effects);
  }
}
