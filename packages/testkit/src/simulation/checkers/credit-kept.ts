/** No agent is given more tasks than it said that it takes: counted from the messages, at both ends. */
import type { AgentCore } from '@quic-swarm/agent';
import type { CoordinatorCore, CoordinatorEffect, CoordinatorEvent } from '@quic-swarm/coordinator';
import type { HeartbeatMessage, Message } from '@quic-swarm/protocol';
import type { TaskNames } from '../names.ts';
import type { Observer } from '../observer.ts';
import { Violation } from '../violation.ts';

const RULE = 'credit';

/** What one connection of an agent was given. */
interface Account {
  credit: number;
  /** The highest that it ever was. */
  most: number;
  /** Attempt and dispatchSequence of what it has, by task: an agent answers for a task, whichever attempt it is. */
  readonly given: Map<string, { readonly attempt: number; readonly sequence: number }>;
}

/** See the head of this file. */
export class CreditKept implements Observer {
  readonly #names: TaskNames;
  readonly #accounts = new Map<string, Account>();

  constructor(names: TaskNames) {
    this.#names = names;
  }

  coordinatorStarted(): void {
    this.#accounts.clear();
  }

  coordinatorTakes(event: CoordinatorEvent): void {
    if (event.type === 'AgentJoined') {
      this.#accounts.set(event.connectionId, { credit: 0, most: 0, given: new Map() });
    } else if (event.type === 'ConnectionEnded') {
      this.#accounts.delete(event.connectionId);
    } else if (event.type === 'MessageReceived') {
      const account = this.#accounts.get(event.connectionId);
      if (account !== undefined) heard(account, event.message);
    }
  }

  coordinatorWants(effect: CoordinatorEffect, { state }: CoordinatorCore): void {
    if (effect.type !== 'Send') return;
    const { connectionId, message } = effect;
    const account = this.#accounts.get(connectionId);
    if (account === undefined) return;
    if (message.type === 'AgentAck') {
      for (const { taskId, attempt } of message.body.resumedLeases) {
        account.given.set(taskId, { attempt, sequence: 0 });
      }
    } else if (message.type === 'AgentTask') {
      const { taskId, attempt, dispatchSequence: sequence } = message.body;
      account.given.set(taskId, { attempt, sequence });
      // One that may be started only once was given away when the agent took more, perhaps, and has waited for the disk.
      const hasWaited = state.tasks.get(taskId)?.terms.idempotent === false;
      const credit = hasWaited ? account.most : account.credit;
      if (account.given.size <= credit) return;
      const sentence = `It is the ${account.given.size}th task of ${connectionId}, which takes ${credit}.`;
      throw new Violation(RULE, sentence, [this.#names.of(taskId)]);
    }
  }

  agentHears(agentId: string, message: Message, { tasks, session }: AgentCore): void {
    if (message.type !== 'AgentTask' || !session.isConnected) return;
    const { waiting, running } = tasks.leases;
    const { taskId } = message.body;
    const held = new Set([...waiting, ...running].map(({ lease }) => lease.taskId));
    held.add(taskId);
    if (held.size <= tasks.credit.most) return;
    const sentence = `It reached ${agentId}, which now has ${held.size} tasks and never said that it takes more than ${tasks.credit.most}.`;
    throw new Violation(RULE, sentence, [this.#names.of(taskId)]);
  }
}

function heard(account: Account, message: Message): void {
  switch (message.type) {
    case 'CreditGrant':
      account.credit = message.body.credit;
      account.most = Math.max(account.most, account.credit);
      return;
    case 'TaskCompletion':
      giveBack(account, message.body);
      return;
    case 'LeaseReturn':
      for (const lease of message.body.leases) giveBack(account, lease);
      return;
    case 'MessageAck':
      if (message.body.lease !== undefined) giveBack(account, message.body.lease);
      return;
    case 'HeartbeatMessage':
      dropUnlisted(account, message.body);
      return;
    default:
  }
}

function giveBack({ given }: Account, lease: { taskId: string; attempt: number }): void {
  if (given.get(lease.taskId)?.attempt === lease.attempt) given.delete(lease.taskId);
}

/** What has arrived and is not listed is not there any more. */
function dropUnlisted(
  { given }: Account,
  { leases, lastDispatchSequence }: HeartbeatMessage,
): void {
  for (const [taskId, { attempt, sequence }] of given) {
    const isListed = leases.some((lease) => lease.taskId === taskId && lease.attempt === attempt);
    if (!isListed && sequence <= lastDispatchSequence) given.delete(taskId);
  }
}
