/** A swarm whose coordinator and agents are processes of their own, started as a person would start them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ClientOptions, type SwarmClient } from '@quic-swarm/client';
import { CLOSING_AGENT, HANDLERS } from './agent-files.ts';
import { ChildProgram, ROOT } from './child-program.ts';
import { Journal } from './journal.ts';

/** Longer than an idle client waits for anything in a run. */
const PATIENCE_MS = 120_000;

/** Folders of swarms that were not disposed of; a run that is interrupted leaves none behind either. */
const folders = new Set<string>();

process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Options of {@link ProcessSwarm.start}. */
export interface ProcessSwarmOptions {
  /** Whether the coordinator keeps its tasks in a folder of the swarm. @default false */
  readonly isDurable?: boolean;
  /** Another folder for that, which is not removed with the swarm. @default one of the swarm, where it is durable */
  readonly dataFolder?: string;
}

/** Options of {@link ProcessSwarm.startAgent}. */
export interface ProcessAgentOptions {
  /** Where it finds the coordinator. @default directly */
  readonly address?: string;
  /** More words. */
  readonly words?: readonly string[];
}

/** One agent, from its start to its end. */
export interface ProcessAgent {
  readonly id: string;
  readonly program: ChildProgram;
}

/** Resolves when the agent has joined. */
export async function connected({ program }: ProcessAgent): Promise<void> {
  await program.line(CONNECTED);
}

/** Agents that have joined and whose process runs. */
export function isServing({ program }: ProcessAgent): boolean {
  return program.isRunning && program.count(CONNECTED) > 0;
}

/** What an agent prints whenever it has joined. */
export const CONNECTED = '"event":"connected"';

/** See the head of this file. Dispose of it: all of its processes are killed. */
export class ProcessSwarm implements AsyncDisposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'quic-swarm-chaos-'));
  readonly journal: Journal;
  readonly #dataFolder: string | undefined;
  readonly #clients: SwarmClient[] = [];
  /** Every process that was started as an agent, oldest first. */
  readonly agents: ProcessAgent[] = [];
  #coordinator: ChildProgram | undefined;
  #address = '127.0.0.1:0';

  private constructor({ isDurable = false, dataFolder }: ProcessSwarmOptions) {
    this.journal = new Journal(join(this.folder, 'journal.txt'));
    this.#dataFolder = dataFolder ?? (isDurable ? join(this.folder, 'tasks') : undefined);
    folders.add(this.folder);
  }

  static async start(options: ProcessSwarmOptions = {}): Promise<ProcessSwarm> {
    const swarm = new ProcessSwarm(options);
    try {
      await swarm.startCoordinator();
    } catch (error) {
      await swarm[Symbol.asyncDispose]();
      throw error;
    }
    return swarm;
  }

  /** Where the coordinator listens; the same after a restart. */
  get address(): string {
    return this.#address;
  }

  get coordinator(): ChildProgram {
    if (this.#coordinator === undefined) throw new Error('There is no coordinator.');
    return this.#coordinator;
  }

  /** Starts the coordinator, or another one in the place of one that has ended. Resolves when it listens. */
  async startCoordinator(): Promise<ChildProgram> {
    const durable = this.#dataFolder === undefined ? [] : ['--data', this.#dataFolder];
    const program = this.#program('coordinator', [this.#address, '--json', ...durable]);
    this.#coordinator = program;
    const { text } = await program.line('"ready"');
    this.#address = (JSON.parse(text) as { address: string }).address;
    return program;
  }

  /** Starts an agent with one thread that computes the tasks of a run. Resolves at once: `connected` waits. */
  startAgent(
    id: string,
    { address = this.#address, words = [] }: ProcessAgentOptions = {},
  ): ProcessAgent {
    const common = ['--handlers', HANDLERS, '--threads', '1', '--json', '--connect-timeout', '30s'];
    const program = this.#program('agent', [address, id, 'compute', ...common, ...words]);
    const agent = { id, program };
    this.agents.push(agent);
    return agent;
  }

  /** Starts an agent that ends with `close()` on SIGTERM instead of finishing what it has; see agents/closing-agent.ts. */
  startClosingAgent(id: string): ProcessAgent {
    const program = new ChildProgram(CLOSING_AGENT, [this.#address, id], this.environment);
    const agent = { id, program };
    this.agents.push(agent);
    return agent;
  }

  /** Starts agents and waits until all of them are connected. */
  async startAgents(
    ids: readonly string[],
    options?: ProcessAgentOptions,
  ): Promise<ProcessAgent[]> {
    const agents = ids.map((id) => this.startAgent(id, options));
    await Promise.all(agents.map(connected));
    return agents;
  }

  /** Connects a client of this process; it is closed with the swarm. */
  async connect(options: Partial<ClientOptions> = {}): Promise<SwarmClient> {
    const client = await connect({
      address: this.#address,
      security: { stateDirectory: this.folder },
      timeoutMs: 20_000,
      requestTimeoutMs: 60_000,
      giveUpAfterMs: PATIENCE_MS,
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  /** What the environment of the swarm's programs is. */
  get environment(): NodeJS.ProcessEnv {
    const { SWARM_ADDRESS: _address, ...inherited } = process.env;
    return { ...inherited, QUIC_SWARM_STATE_DIR: this.folder, CHAOS_JOURNAL: this.journal.path };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const programs = this.agents.map(({ program }) => program);
    if (this.#coordinator !== undefined) programs.push(this.#coordinator);
    await Promise.all(programs.map(async (program) => program.kill()));
    await Promise.all(this.#clients.map(async (client) => client.close()));
    rmSync(this.folder, { recursive: true, force: true });
    folders.delete(this.folder);
  }

  #program(name: 'coordinator' | 'agent', words: readonly string[]): ChildProgram {
    return new ChildProgram(join(ROOT, `packages/cli/bin/${name}.js`), words, this.environment);
  }
}
