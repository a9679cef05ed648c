/** Runs the real programs as child processes, as a person would, with a state directory of their own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PATIENTLY, Program, ROOT, type Ended } from '../support/program.ts';

export type ProgramName = 'coordinator' | 'agent' | 'swarm';

/** A folder of its own and the programs that were started with it. */
export class Workplace implements AsyncDisposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'quic-swarm-cli-'));
  readonly #programs: Program[] = [];

  /** Starts a program. */
  start(
    name: ProgramName,
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Program {
    const bin = join(ROOT, 'packages/cli/bin', `${name}.js`);
    const { SWARM_ADDRESS: _address, ...inherited } = process.env;
    const env = { ...inherited, XDG_STATE_HOME: this.folder, ...environment };
    const program = new Program([bin, ...words], { env });
    this.#programs.push(program);
    return program;
  }

  /** Runs a program to its end. */
  async run(name: ProgramName, words: readonly string[]): Promise<Ended> {
    return this.start(name, words).ended;
  }

  /** A coordinator on a free port and its address. */
  async coordinator(...words: string[]): Promise<{ program: Program; address: string }> {
    const program = this.start('coordinator', ['127.0.0.1:0', '--json', ...words]);
    const { address } = await program.json('"ready"');
    return { program, address: String(address) };
  }

  /** An agent that is connected. */
  async agent(address: string, id: string, type: string, ...words: string[]): Promise<Program> {
    const common = ['--json', '--threads', '1', ...PATIENTLY];
    const program = this.start('agent', [address, id, type, ...common, ...words]);
    await program.json('"connected"');
    return program;
  }

  /** Writes a file and gives its path. */
  file(name: string, content: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((program) => program[Symbol.asyncDispose]()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Asks again until the answer is yes; a limit for the case that it never is. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  patienceMs: number = 15_000,
): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`Not so within ${patienceMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
