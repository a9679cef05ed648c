/**
 * Cross-checks everything that the core keeps. Tests call it after each step; it costs too much for anything else.
 * Throws with the first thing that does not fit.
 */
import type { AgentCore } from './agent.ts';
import { creditOf } from './credit.ts';
import {
  HELD_LEASES_MAX,
  hasLostChunks,
  type HeldLease,
  type LeaseTable,
  type SlotUse,
} from './leases.ts';

const nameOf = ({ lease }: HeldLease): string => `${lease.epoch}/${lease.taskId}/${lease.attempt}`;

/** Throws when the core contradicts itself. */
export function validate(core: AgentCore): void {
  const { leases, isConnected } = core.tasks;
  const { waiting, running, finished, abandoned, slots, slotsInUse } = leases;
  const { granted, most } = core.tasks.credit;
  check(granted >= slots && granted <= most, 'the credit is out of its bounds');
  check(most <= Math.max(creditOf(slots), HELD_LEASES_MAX), 'more was granted than can be listed');
  check(isConnected === core.session.isConnected, 'tasks and session disagree on the connection');
  const places = { waiting, running, finished, abandoned };
  for (const [place, all] of Object.entries(places)) {
    for (const held of all) {
      check(held.place === place, `${nameOf(held)} is filed as ${held.place} and lies in ${place}`);
      check(leases.find(held.lease) === held, `${nameOf(held)} is not found by its name`);
    }
  }
  check(waiting.size + running.size <= most, 'more tasks are held than credit was granted');
  validateSlots(leases);
  for (const held of waiting) validateWaiting(held);
  for (const held of running) validateRunning(held);
  for (const held of finished) {
    check(held.completion !== undefined, `${nameOf(held)} is finished without a completion`);
  }
  for (const held of abandoned) {
    check(held.completion === undefined, `${nameOf(held)} is abandoned with a completion`);
  }
  const canStart = [...waiting].some(({ datasets }) => datasets === 'ready');
  check(
    !canStart || slotsInUse === slots || core.state === 'stopped',
    'a task waits although a slot is free',
  );
  if (core.state === 'draining') check(waiting.size === 0, 'a draining agent keeps waiting tasks');
}

function validateSlots(leases: LeaseTable): void {
  const { running, abandoned, waiting, finished } = leases;
  const inUse = new Map<SlotUse, HeldLease[]>();
  for (const held of [...running, ...abandoned]) {
    const { slot } = held;
    if (slot === undefined) throw new Error(`${nameOf(held)} has no slot`);
    inUse.set(slot, [...(inUse.get(slot) ?? []), held]);
  }
  for (const held of [...waiting, ...finished]) {
    check(held.slot === undefined, `${nameOf(held)} keeps its slot`);
  }
  for (const [{ left }, all] of inUse) {
    check(left === all.length, 'a slot counts other tasks than it has');
    const places = new Set(all.map(({ kind }) => kind.isOnMainThread));
    check(places.size === 1, 'the tasks of one slot run in different places');
    const begun = all.filter(({ startedAtMs }) => startedAtMs !== undefined);
    check(begun.length <= 1, 'a slot runs several tasks at once');
  }
  check(inUse.size === leases.slotsInUse, 'the slots in use are miscounted');
  check(inUse.size <= leases.slots, 'more slots are in use than there are');
}

function validateWaiting(held: HeldLease): void {
  check(held.startedAtMs === undefined, `${nameOf(held)} waits but was started`);
  check(held.completion === undefined, `${nameOf(held)} waits but is completed`);
  check(held.task !== undefined, `${nameOf(held)} waits without its input`);
  check(held.abort === undefined, `${nameOf(held)} waits but is being aborted`);
  check(held.chunkCount === 0, `${nameOf(held)} waits but emitted chunks`);
}

function validateRunning(held: HeldLease): void {
  check(held.completion === undefined, `${nameOf(held)} runs but is completed`);
  check(held.task === undefined, `${nameOf(held)} runs and keeps its input`);
  check(held.datasets === 'ready', `${nameOf(held)} runs without its data sets`);
  check(
    (held.abort === undefined && held.startedAtMs !== undefined) ===
      (held.timeoutAtMs !== undefined),
    `${nameOf(held)} has a time limit exactly from its beginning to when somebody stops it`,
  );
  check(
    !hasLostChunks(held) || held.keptChunks === undefined,
    `${nameOf(held)} keeps other chunks than it emitted`,
  );
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`The agent's core is not consistent: ${what}.`);
}
