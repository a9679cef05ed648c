/** An agent that is back keeps no lease that the coordinator does not count: nobody would believe what comes of it. */
import type { AgentCore } from '@quic-swarm/agent';
import type { Lease, Message } from '@quic-swarm/protocol';
import type { TaskNames } from '../names.ts';
import type { Observer } from '../observer.ts';
import { Violation } from '../violation.ts';

/** See the head of this file. */
export class LeasesAgreed implements Observer {
  readonly #names: TaskNames;
  /** What agents were just told that they may go on with. */
  readonly #resumed = new Map<string, ReadonlySet<string>>();

  constructor(names: TaskNames) {
    this.#names = names;
  }

  agentHears(agentId: string, message: Message, { session }: AgentCore): void {
    if (message.type !== 'AgentAck' || session.state !== 'joining') return;
    this.#resumed.set(agentId, new Set(message.body.resumedLeases.map(nameOf)));
  }

  agentSettled(agentId: string, { tasks }: AgentCore): void {
    const resumed = this.#resumed.get(agentId);
    if (resumed === undefined) return;
    this.#resumed.delete(agentId);
    const kept = tasks.leases.held().find((lease) => !resumed.has(nameOf(lease)));
    if (kept === undefined) return;
    const sentence = `${agentId} came back and keeps attempt ${kept.attempt}, which is not resumed.`;
    throw new Violation('leases agreed', sentence, [this.#names.of(kept.taskId), agentId]);
  }
}

function nameOf({ epoch, taskId, attempt }: Lease): string {
  return `${epoch} ${taskId} ${attempt}`;
}
