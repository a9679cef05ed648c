/**
 * A whole swarm in one thread: a coordinator, agents and clients with their real cores, on a virtual clock and a simulated
 * network. Everything that happens follows from the seed and from what is asked of it.
 */
import type { CoordinatorEffect } from '@quic-swarm/coordinator';
import { describeMessage, isRoutine, payloadOf, type Message } from '@quic-swarm/protocol';
import { AgentProcess, type AgentSpecification } from './agent-process.ts';
import { ClientProcess } from './client-process.ts';
import { CoordinatorProcess, type CoordinatorHabits } from './coordinator-process.ts';
import { TaskNames } from './names.ts';
import { Network } from './network.ts';
import type { Observer } from './observer.ts';
import { RandomStream } from './random-stream.ts';
import { Trace } from './trace.ts';
import { VirtualClock } from './virtual-clock.ts';
import { SimulatedDisk, type DiskHabits } from './simulated-disk.ts';
import type { Weather } from './weather.ts';
import type { WorkBook } from './work.ts';
import type { WorldParts } from './world-parts.ts';

/** What a world is made of. */
export interface WorldOptions {
  readonly seed: number;
  readonly weather: Weather;
  readonly habits: CoordinatorHabits;
  readonly resetsConnections: boolean;
  /** Undefined: nothing is written down, and no task is durable. */
  readonly disk: DiskHabits | undefined;
  /** Data sets survive the coordinator. */
  readonly keepsDatasets: boolean;
}

/** See the head of this file. */
export class World {
  readonly clock: VirtualClock = new VirtualClock();
  readonly trace: Trace = new Trace();
  readonly names: TaskNames = new TaskNames();
  readonly works: WorkBook = new Map();
  readonly random: RandomStream;
  readonly network: Network;
  readonly disk: SimulatedDisk | undefined;
  readonly agents: Map<string, AgentProcess> = new Map();
  readonly clients: Map<string, ClientProcess> = new Map();
  /** Counts for a report: what happened how often. */
  readonly counts: Map<string, number> = new Map();
  readonly #observers: Observer[] = [];
  readonly #options: WorldOptions;
  readonly #parts: WorldParts;
  readonly #datasets: Set<string> | undefined;
  #coordinator: CoordinatorProcess | undefined;
  #epoch = 0;
  #lives = 0;

  readonly #nameTask = (taskId: string): string => this.names.of(taskId);

  constructor(options: WorldOptions) {
    this.#options = options;
    const { seed, disk, keepsDatasets } = options;
    this.random = new RandomStream(seed);
    const diskRandom = this.random.fork('disk');
    this.disk = disk === undefined ? undefined : new SimulatedDisk(this.clock, diskRandom, disk);
    this.#datasets = keepsDatasets ? new Set() : undefined;
    this.network = new Network({
      clock: this.clock,
      random: this.random.fork('network'),
      weather: options.weather,
      resetsConnections: options.resetsConnections,
      onArrival: (from, to, message, stream) => this.#arrived(from, to, message, stream),
    });
    this.#parts = {
      clock: this.clock,
      random: this.random,
      network: this.network,
      names: this.names,
      works: this.works,
      submissions: new Map(),
      note: (text) => this.note(text),
      observe: (show) => {
        for (const observer of this.#observers) show(observer);
      },
      travelsAlone: (message, random, pathName) => {
        if (payloadOf(message) === undefined) return false;
        return random.chance(this.network.path(pathName).weather.ownStreamRate);
      },
    };
    this.watchWith({ coordinatorWants: (effect) => this.#noteEffect(effect) });
  }

  /** The coordinator that runs now, or did last. */
  get coordinator(): CoordinatorProcess {
    if (this.#coordinator === undefined) throw new Error('No coordinator was started.');
    return this.#coordinator;
  }

  /** Shows all that happens from now on to somebody. */
  watchWith(observer: Observer): void {
    this.#observers.push(observer);
  }

  note(text: string): void {
    this.trace.note(this.clock.nowMs, text);
  }

  startCoordinator(): CoordinatorProcess {
    this.#epoch += 1;
    const { habits } = this.#options;
    const belongings = { disk: this.disk, datasets: this.#datasets };
    const started = new CoordinatorProcess(this.#parts, habits, this.#epoch, belongings);
    this.#coordinator = started;
    this.network.door = started;
    return started;
  }

  killCoordinator(): void {
    this.network.door = undefined;
    this.#coordinator?.kill();
  }

  /** Asks the coordinator to stop; the function is called when it has, unless it is killed before. */
  drainCoordinator(graceMs: number, onEnded: () => void): void {
    this.coordinator.drain(graceMs, () => {
      this.network.door = undefined;
      onEnded();
    });
  }

  /** Starts an agent, or starts it again under the same id. */
  startAgent(specification: AgentSpecification): AgentProcess {
    this.#lives += 1;
    const agent = new AgentProcess(specification, this.#parts, this.#lives);
    this.agents.set(specification.agentId, agent);
    return agent;
  }

  startClient(clientName: string): ClientProcess {
    const client = new ClientProcess(clientName, this.#parts);
    this.clients.set(clientName, client);
    return client;
  }

  /** Tells the observers that faults have stopped and what can end has had its time. */
  declareHealed(): void {
    for (const observer of this.#observers) observer.healed?.(this.coordinator.core);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  #arrived(from: string, to: string, message: Message, stream: string): void {
    if (message.type === 'AgentTask' && message.body.shard !== undefined) {
      this.names.nameShard(message.body.taskId, message.body.shard.of, message.body.shard.index);
    }
    this.count(message.type);
    const alone = stream.startsWith('task ') ? ' (own stream)' : '';
    const text = `${from} → ${to}: ${describeMessage(message, this.#nameTask)}${alone}`;
    this.trace.note(this.clock.nowMs, text, isRoutine(message));
  }

  #noteEffect(effect: CoordinatorEffect): void {
    switch (effect.type) {
      case 'Send': {
        const { message } = effect;
        if (message.type === 'AgentTask' && message.body.shard !== undefined) {
          const { of, index } = message.body.shard;
          this.names.nameShard(message.body.taskId, of, index);
        }
        return;
      }
      case 'TaskEnded': {
        this.count(`ended ${effect.state}`);
        const reason = effect.failure === undefined ? '' : ` (${effect.failure.type})`;
        this.note(`coordinator: ${this.names.of(effect.taskId)} has ${effect.state}${reason}`);
        return;
      }
      case 'AgentChanged':
        this.count(`agent ${effect.change}`);
        this.note(`coordinator: ${effect.agentId} ${effect.change}, ${effect.reason}`);
        return;
      case 'StaleCompletionDropped': {
        this.count('stale completions');
        const { taskId, attempt, agentId } = effect;
        const name = this.names.of(taskId);
        this.note(`coordinator: ${name}, attempt ${attempt} of ${agentId} comes too late`);
        return;
      }
      default:
    }
  }
}
