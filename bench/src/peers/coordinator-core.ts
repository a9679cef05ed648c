/**
 * The decisions of the coordinator alone, without sockets, encoding and waiting: what one task costs while so many
 * agents are there (`agents`) and so many tasks are queued (`queued`). The core is no part of the package's public
 * door, because no program should drive it; a bench may, and takes it from what was built.
 */
import type { AgentHandshake, Message, SubmitTask } from '@quic-swarm/protocol';
import { CoordinatorCore } from '../../../packages/coordinator/dist/core/coordinator.js';
import type { CoordinatorEffect } from '../../../packages/coordinator/dist/core/effects.js';
import type { CoordinatorEvent } from '../../../packages/coordinator/dist/core/events.js';
import type { Peer } from './contract.ts';

const TASK_TYPE = 'bench.nothing';
const CREDIT = 2;
const CLIENT = 'client';
/** So little time passes per task that no heartbeat is ever missed. */
const MS_PER_TASK = 0.001;

export const peer: Peer = {
  packages: [],
  processes: [
    {
      name: 'core',
      async start({ variant }) {
        const load = new CoreUnderLoad(Number(variant['agents']), Number(variant['queued']));
        return {
          abilities: {
            decideTasks: async (count) => {
              for (let each = 0; each < count; each += 1) load.oneTask();
            },
          },
          stop: () => undefined,
        };
      },
    },
  ],
};

interface Lease {
  readonly connectionId: string;
  readonly epoch: number;
  readonly taskId: string;
  readonly attempt: number;
}

/** A core with a full queue, whose agents end a task only when the bench says so. */
class CoreUnderLoad {
  readonly #core: CoordinatorCore;
  /** What the agents compute, the oldest first; those before `#firstRunning` have ended. */
  #running: Lease[] = [];
  #firstRunning = 0;
  #submitted = 0;
  // With a fraction, as a real clock has: V8 would keep whole numbers in another form, and write a million queued tasks
  // anew as soon as the first fraction comes.
  #nowMs = 1000.125;

  constructor(agents: number, queued: number) {
    this.#core = new CoordinatorCore({ epoch: 1, seed: 1, pendingTasksMax: 2 * queued + 10_000 });
    this.#feed({
      type: 'ClientJoined',
      connectionId: CLIENT,
      address: '127.0.0.1:1',
      protocol: 1,
      sessionToken: 'token',
      handshake: { protocolMin: 1, protocolMax: 1, clientName: 'bench' },
    });
    for (let each = 0; each < agents; each += 1) this.#join(each);
    for (let each = 0; each < queued + agents * CREDIT; each += 1) this.#submit();
  }

  /** One task is submitted, one ends, and a place is given to the next. */
  oneTask(): void {
    this.#nowMs += MS_PER_TASK;
    this.#submit();
    const lease = this.#running[this.#firstRunning];
    if (lease === undefined) throw new Error('No agent was given a task.');
    this.#firstRunning += 1;
    if (this.#firstRunning === 4096) {
      this.#running = this.#running.slice(this.#firstRunning);
      this.#firstRunning = 0;
    }
    this.#complete(lease);
  }

  #join(index: number): void {
    const connectionId = `agent-${index}`;
    const handshake: AgentHandshake = {
      protocolMin: 1,
      protocolMax: 1,
      agentId: connectionId,
      agentType: 'compute',
      slots: CREDIT,
      capabilities: [TASK_TYPE],
      labels: {},
      resources: {},
      heldLeases: [],
    };
    this.#feed({
      type: 'AgentJoined',
      connectionId,
      address: '127.0.0.1:2',
      protocol: 1,
      sessionToken: connectionId,
      handshake,
    });
    this.#feed({ type: 'DispatchStreamOpened', connectionId });
    this.#say(connectionId, { type: 'CreditGrant', body: { credit: CREDIT } });
  }

  #submit(): void {
    this.#submitted += 1;
    const body: SubmitTask = {
      requestId: this.#submitted,
      taskId: `00000000-0000-7000-8000-${this.#submitted.toString(16).padStart(12, '0')}`,
      taskType: TASK_TYPE,
      datasets: [],
      watch: 'result',
      payload: new Uint8Array(1),
    };
    this.#say(CLIENT, { type: 'SubmitTask', body });
  }

  #complete({ connectionId, epoch, taskId, attempt }: Lease): void {
    this.#say(connectionId, { type: 'TaskStarted', body: { epoch, taskId, attempt } });
    this.#say(connectionId, {
      type: 'TaskCompletion',
      body: {
        epoch,
        taskId,
        attempt,
        outcome: 'succeeded',
        chunkCount: 0,
        computeMs: 1,
        waitMs: 0,
      },
    });
  }

  #say(connectionId: string, message: Message): void {
    this.#feed({ type: 'MessageReceived', connectionId, message });
  }

  #feed(event: CoordinatorEvent): void {
    for (const effect of this.#core.handle(event, this.#nowMs)) this.#note(effect);
  }

  #note(effect: CoordinatorEffect): void {
    if (effect.type !== 'Send' || effect.message.type !== 'AgentTask') return;
    const { epoch, taskId, attempt } = effect.message.body;
    this.#running.push({ connectionId: effect.connectionId, epoch, taskId, attempt });
  }
}
