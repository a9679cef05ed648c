/** Carries out the faults of a plan, and takes them back when they are over. */
import type { AgentProcess } from './agent-process.ts';
import type { ClientProcess } from './client-process.ts';
import type { FaultKind } from './fault-kinds.ts';
import { ableAgents, type Plan } from './plan.ts';
import type { RandomStream } from './random-stream.ts';
import { CALM } from './weather.ts';
import type { World } from './world.ts';

/** A dead agent is started again after so long, where somebody does that. */
const RESTART_AFTER_MS = 400;

/** See the head of this file. */
export class Nemesis {
  readonly #world: World;
  readonly #plan: Plan;
  readonly #random: RandomStream;
  #isOver = false;

  constructor(world: World, plan: Plan) {
    this.#world = world;
    this.#plan = plan;
    this.#random = world.random.fork('nemesis');
    for (const [kind, everyMs] of plan.faults) {
      this.#plague(kind, everyMs, this.#random.fork(kind));
    }
    if (plan.restartsAgents) this.#superviseAgents();
  }

  /** All faults stop: everything is connected, awake and started again, and agents come that can compute anything. */
  stop(): void {
    const { clock, network, agents, clients } = this.#world;
    if (!this.#plan.restartsAgents) this.#superviseAgents();
    this.#isOver = true;
    this.#world.note('all faults stop');
    network.door ??= this.#world.startCoordinator();
    this.#world.coordinator.thaw();
    for (const path of network.paths()) {
      path.heal();
      path.weather = CALM;
    }
    for (const agent of agents.values()) agent.thaw();
    for (const client of clients.values()) client.thaw();
    for (const specification of ableAgents(this.#plan)) {
      clock.after(this.#random.between(0, 100), () => this.#world.startAgent(specification));
    }
  }

  #plague(kind: FaultKind, everyMs: number, random: RandomStream): void {
    const { clock } = this.#world;
    clock.after(random.between(0.3, 1.7) * everyMs, () => {
      if (this.#isOver) return;
      this.#world.count(`fault ${kind}`);
      this.#strike(kind, random);
      this.#plague(kind, everyMs, random);
    });
  }

  #strike(kind: FaultKind, random: RandomStream): void {
    switch (kind) {
      case 'cutPath':
      case 'cutOneWay':
        this.#cut(this.#someName(random), kind === 'cutOneWay', random);
        return;
      case 'cutAllPaths':
        for (const name of this.#names()) this.#cut(name, false, random);
        return;
      case 'killAgent':
        this.#someAgent(random)?.kill('a fault');
        return;
      case 'freezeAgent':
      case 'freezeClient':
      case 'freezeCoordinator':
        this.#freeze(kind, random);
        return;
      case 'drainAgent':
        this.#someAgent(random)?.drain(Math.ceil(random.magnitude(10, 5000)));
        return;
      case 'controlAgent':
        this.#control(random);
        return;
      case 'expireConnection':
        if (this.#world.coordinator.life.isAwake)
          this.#world.coordinator.expire(this.#someName(random));
        return;
      case 'killClient':
        this.#someClient(random)?.kill();
        return;
      case 'closeClient':
        this.#someClient(random)?.close();
        return;
      case 'replayFlight':
        this.#replay(random);
        return;
      case 'drainCoordinator':
        this.#drainCoordinator(random);
        return;
      case 'failDisk':
        this.#failDisk(random);
        return;
      case 'killCoordinator':
        if (random.chance(0.5)) this.#killCoordinator(random);
        else this.#world.disk?.atNextAppend(() => this.#killCoordinator(random));
    }
  }

  #cut(name: string, isOneWay: boolean, random: RandomStream): void {
    const path = this.#world.network.path(name);
    if (!path.isOpen) return;
    const side = random.pick(['dialler', 'listener'] as const);
    if (isOneWay) path.cut(side);
    else path.cut('dialler', 'listener');
    const way = isOneWay
      ? `, what comes from ${side === 'dialler' ? 'it' : 'the coordinator'}`
      : '';
    this.#world.note(`the path of ${name} is cut${way}`);
    this.#world.clock.after(random.magnitude(20, 20_000), () => {
      if (!path.isOpen) this.#world.note(`the path of ${name} is healed`);
      path.heal();
    });
  }

  #freeze(kind: 'freezeAgent' | 'freezeClient' | 'freezeCoordinator', random: RandomStream): void {
    const frozen =
      kind === 'freezeAgent'
        ? this.#someAgent(random)
        : kind === 'freezeClient'
          ? this.#someClient(random)
          : this.#world.coordinator;
    frozen?.freeze();
    const forMs = random.magnitude(10, 15_000);
    this.#world.clock.after(forMs, () => frozen?.thaw());
  }

  #control(random: RandomStream): void {
    const client = this.#someClient(random);
    const agent = this.#someAgent(random);
    const action = random.pick(['cordon', 'resume', 'resume', 'drain'] as const);
    if (client === undefined || agent === undefined) return;
    const requestId = client.newRequestId();
    const { agentId } = agent.specification;
    const body = { requestId, agentId, action, deadlineMs: Math.ceil(random.magnitude(10, 5000)) };
    client.request({ type: 'AgentControl', body });
  }

  /** Names a task that may be known: what is replayed was said about one. */
  #replay(random: RandomStream): void {
    const { network, names } = this.#world;
    const taskId = names.idOf(1 + random.below(this.#plan.tasks));
    const name = random.pick(this.#plan.clients);
    const handshake = { protocolMin: 1, protocolMax: 1, clientName: name };
    network.replay(
      name,
      [
        ['control', { type: 'ClientHandshake', body: handshake }],
        ['client', { type: 'StreamOpen', body: { purpose: 'client' } }],
        ['client', { type: 'WatchTask', body: { requestId: 1, taskId, watch: 'all' } }],
      ],
      random.magnitude(10, 5000),
    );
  }

  #killCoordinator(random: RandomStream): void {
    const { network, clock } = this.#world;
    const downMs = random.magnitude(5, 5000);
    if (this.#isOver || network.door === undefined) return;
    this.#world.killCoordinator();
    clock.after(downMs, () => {
      network.door ??= this.#world.startCoordinator();
    });
  }

  #drainCoordinator(random: RandomStream): void {
    const { network, clock } = this.#world;
    if (network.door === undefined) return;
    const downMs = random.magnitude(5, 5000);
    this.#world.drainCoordinator(Math.ceil(random.magnitude(10, 5000)), () => {
      clock.after(downMs, () => {
        network.door ??= this.#world.startCoordinator();
      });
    });
  }

  /** At any time, or while something is being written: then it is told what it has to take back. */
  #failDisk(random: RandomStream): void {
    const { disk } = this.#world;
    const forMs = random.magnitude(1, 5000);
    if (random.chance(0.5)) disk?.fail(forMs);
    else disk?.atNextAppend(() => disk.fail(forMs));
  }

  #superviseAgents(): void {
    const { clock, agents } = this.#world;
    for (const agent of agents.values()) {
      if (!agent.isRunning) this.#world.startAgent(agent.specification);
    }
    clock.after(RESTART_AFTER_MS, () => this.#superviseAgents());
  }

  #names(): string[] {
    return [...this.#world.agents.keys(), ...this.#world.clients.keys()];
  }

  #someName(random: RandomStream): string {
    return random.pick(this.#names());
  }

  #someAgent(random: RandomStream): AgentProcess | undefined {
    const agents = [...this.#world.agents.values()];
    const agent = random.pick(agents);
    return agent.isRunning && !agent.isFrozen ? agent : undefined;
  }

  #someClient(random: RandomStream): ClientProcess | undefined {
    const client = random.pick([...this.#world.clients.values()]);
    return client.isRunning && !client.isFrozen ? client : undefined;
  }
}
