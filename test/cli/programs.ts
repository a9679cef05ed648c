/** Runs the real programs as child processes, as a person would, with a state directory of their own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type ProgramName = 'coordinator' | 'agent' | 'swarm';

/** How a program ended. */
export interface Ended {
  /** The exit code, or the signal that ended it. */
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One running program. */
export class Program {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly #lines: string[] = [];
  readonly #waiters: (() => void)[] = [];
  #isOver = false;

  constructor(child: ChildProcess) {
    this.process = child;
    let stdout = '';
    let stderr = '';
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      stream.setEncoding('utf8').on('data', (text: string) => {
        if (stream === child.stdout) stdout += text;
        else stderr += text;
      });
      createInterface({ input: stream }).on('line', (line) => {
        this.#lines.push(line);
        this.#wake();
      });
    }
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#isOver = true;
        this.#wake();
        resolve({ code: code ?? signal, stdout, stderr });
      });
    });
  }

  /** The first line, on stdout or stderr, that contains the text. Rejects when the program ends without it. */
  async line(text: string): Promise<string> {
    for (;;) {
      const found = this.#lines.find((line) => line.includes(text));
      if (found !== undefined) return found;
      if (this.#isOver) throw new Error(`No "${text}" in:\n${this.#lines.join('\n')}`);
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** The value of the first JSON line that contains the text. */
  async json(text: string): Promise<Readonly<Record<string, unknown>>> {
    return JSON.parse(await this.line(text)) as Readonly<Record<string, unknown>>;
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}

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
    const bin = fileURLToPath(new URL(`../../packages/cli/bin/${name}.js`, import.meta.url));
    const { SWARM_ADDRESS: _address, ...inherited } = process.env;
    const env = { ...inherited, XDG_STATE_HOME: this.folder, ...environment };
    const child = spawn(process.execPath, [bin, ...words], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const program = new Program(child);
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
    const program = this.start('agent', [address, id, type, '--json', '--threads', '1', ...words]);
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
    for (const program of this.#programs) program.kill('SIGKILL');
    await Promise.all(this.#programs.map(({ ended }) => ended));
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
