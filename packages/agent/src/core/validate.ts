/**
 * Cross-checks everything that the core keeps. Tests call it after each step; it costs too much for anything else.
 * Throws with the first thing that does not fit.
 */
import type { AgentCore } from './agent.ts';
import { creditOf, leaseKeyOf, type HeldLease } from './leases.ts';

/** Throws when the core contradicts itself. */
export function validate(core: AgentCore): void {
  const { leases, isConnected } = core.tasks;
  const { waiting, running, finished, abandoned, slots, credit } = leases;
  check(credit === creditOf(slots), 'the credit does not follow from the slots');
  check(isConnected === core.session.isConnected, 'tasks and session disagree on the connection');
  const places = { waiting, running, finished, abandoned };
  const seen = new Set<string>();
  for (const [name, place] of Object.entries(places)) {
    for (const [key, held] of place) {
      check(key === held.key && key === leaseKeyOf(held.lease), `${key} is filed as ${held.key}`);
      check(!seen.has(key), `${key} is ${name} and in another place too`);
      seen.add(key);
    }
  }
  check(waiting.size + running.size <= credit, 'more tasks are held than credit was granted');
  check(running.size + abandoned.size <= slots, 'more handlers run than there are slots');
  for (const held of waiting.values()) validateWaiting(held);
  for (const held of running.values()) validateRunning(held);
  for (const held of finished.values()) {
    check(held.completion !== undefined, `${held.key} is finished without a completion`);
  }
  for (const held of abandoned.values()) {
    check(held.completion === undefined, `${held.key} is abandoned with a completion`);
  }
  const canStart = [...waiting.values()].some(({ datasets }) => datasets === 'ready');
  check(
    !canStart || running.size + abandoned.size === slots || core.state === 'stopped',
    'a task waits although a slot is free',
  );
  if (core.state === 'draining') check(waiting.size === 0, 'a draining agent keeps waiting tasks');
}

function validateWaiting(held: HeldLease): void {
  check(held.startedAtMs === undefined, `${held.key} waits but was started`);
  check(held.completion === undefined, `${held.key} waits but is completed`);
  check(held.abort === undefined, `${held.key} waits but is being aborted`);
  check(held.chunkCount === 0, `${held.key} waits but emitted chunks`);
}

function validateRunning(held: HeldLease): void {
  check(held.startedAtMs !== undefined, `${held.key} runs but was never started`);
  check(held.completion === undefined, `${held.key} runs but is completed`);
  check(held.datasets === 'ready', `${held.key} runs without its data sets`);
  check(
    (held.abort === undefined) === (held.timeoutAtMs !== undefined),
    `${held.key} has a time limit exactly as long as nobody has stopped it`,
  );
  check(
    held.keptChunks === undefined || held.keptChunks.length === held.chunkCount,
    `${held.key} keeps other chunks than it emitted`,
  );
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`The agent's core is not consistent: ${what}.`);
}
