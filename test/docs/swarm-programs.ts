/** The programs of the documents, run in a folder and with a state directory of their own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, type ProgramEnd } from '../examples/run-program.ts';

/** A program that runs. */
export class Program {
  readonly ended: Promise<ProgramEnd>;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';
  #changed: (() => void) | undefined;
  #isOver = false;

  constructor(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
    this.#child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.on('data', (bytes: Buffer) => {
      this.#stdout += bytes.toString();
      this.#changed?.();
    });
    this.#child.stderr?.on('data', (bytes: Buffer) => {
      this.#stderr += bytes.toString();
      this.#changed?.();
    });
    this.ended = new Promise((resolve) => {
      this.#child.on('close', (exitCode) => {
        this.#isOver = true;
        this.#changed?.();
        resolve({ exitCode, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  /** Waits until it has printed the text, on either stream; throws what it said when it ends without. */
  async printed(text: string): Promise<string> {
    while (!this.#stdout.includes(text) && !this.#stderr.includes(text)) {
      if (this.#isOver)
        throw new Error(`"${text}" was never printed: ${this.#stdout}${this.#stderr}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    return this.#stdout;
  }

  async stop(): Promise<ProgramEnd> {
    if (!this.#isOver) this.#child.kill('SIGTERM');
    return this.ended;
  }
}

/** A folder to run documents in, with a coordinator and the agents that snippets need. */
export class Workplace implements AsyncDisposable {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #agents = new Map<string, Program>();
  #coordinator: Program | undefined;
  #address = '';

  private constructor(folder: string) {
    this.folder = folder;
    this.env = {
      ...process.env,
      QUIC_SWARM_STATE_DIR: join(folder, 'state'),
      NODE_OPTIONS: '',
      NO_COLOR: '1',
    };
  }

  static async create(): Promise<Workplace> {
    const folder = await mkdtemp(join(tmpdir(), 'swarm-docs-'));
    await symlink(join(ROOT, 'examples'), join(folder, 'examples'));
    const workplace = new Workplace(folder);
    const coordinator = workplace.command('coordinator', ['127.0.0.1:0', '--json']);
    workplace.#coordinator = coordinator;
    const line = (await coordinator.printed('"ready"')).split('\n')[0] ?? '';
    workplace.#address = (JSON.parse(line) as { address: string }).address;
    workplace.env['SWARM_ADDRESS'] = workplace.#address;
    return workplace;
  }

  /** Where the coordinator of this workplace listens. */
  get address(): string {
    return this.#address;
  }

  /** Starts one of the bins. */
  command(bin: string, args: readonly string[]): Program {
    return new Program(
      [join(ROOT, 'packages/cli/bin', `${bin}.js`), ...args],
      this.folder,
      this.env,
    );
  }

  /** Starts an agent unless one with these arguments runs. */
  async agent(id: string, type: string, ...rest: string[]): Promise<void> {
    const key = [id, type, ...rest].join(' ');
    if (this.#agents.has(key)) return;
    const agent = this.command('agent', [
      this.#address,
      id,
      type,
      '--threads',
      '1',
      '--json',
      ...rest,
    ]);
    this.#agents.set(key, agent);
    await agent.printed('"connected"');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#agents.values()].map(async (agent) => agent.stop()));
    await this.#coordinator?.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
