/** The programs of the documents, run in a folder and with a state directory of their own. */
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PATIENTLY, Program, ROOT } from '../support/program.ts';

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
    const data = ['--data', join(folder, 'data')];
    const coordinator = workplace.command('coordinator', ['127.0.0.1:0', ...data, '--json']);
    workplace.#coordinator = coordinator;
    workplace.#address = String((await coordinator.json('"ready"'))['address']);
    workplace.env['SWARM_ADDRESS'] = workplace.#address;
    return workplace;
  }

  /** Where the coordinator of this workplace listens. */
  get address(): string {
    return this.#address;
  }

  /** Starts one of the bins. */
  command(bin: string, args: readonly string[]): Program {
    return new Program([join(ROOT, 'packages/cli/bin', `${bin}.js`), ...args], {
      cwd: this.folder,
      env: this.env,
    });
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
      ...PATIENTLY,
      ...rest,
    ]);
    this.#agents.set(key, agent);
    await agent.line('"connected"');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#agents.values()].map(async (agent) => agent.stop()));
    await this.#coordinator?.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
