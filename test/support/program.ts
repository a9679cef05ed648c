/** Programs under test: Node processes, heard line by line. */
import { spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

/** The folder of this repository. */
export const ROOT: string = resolve(import.meta.dirname, '../..');

/** Words for an agent that a test starts beside others: on a busy machine the default patience is over too soon. */
export const PATIENTLY: readonly string[] = ['--connect-timeout', '20s'];

/** How a program ended. */
export interface Ended {
  /** The exit code, or the signal that ended it. */
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and with which environment a program runs; the environment of the test where nothing is said. */
export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** One running program, `node ARGS`. Dispose of it: what still runs is killed. */
export class Program implements AsyncDisposable {
  readonly ended: Promise<Ended>;
  readonly process: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiters: (() => void)[] = [];
  #isOver = false;

  constructor(args: readonly string[], { cwd = ROOT, env = process.env }: ProgramOptions = {}) {
    const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process = child;
    let stdout = '';
    let stderr = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        if (stream === child.stdout) stdout += text;
        else stderr += text;
      });
      createInterface({ input: stream }).on('line', (line) => {
        this.#lines.push(line);
        this.#wake();
      });
    }
    this.ended = new Promise((settle) => {
      child.once('close', (code, signal) => {
        this.#isOver = true;
        this.#wake();
        settle({ code: code ?? signal, stdout, stderr });
      });
    });
  }

  /** The first line, on stdout or stderr, that contains the text. Rejects when the program ends without it. */
  async line(text: string): Promise<string> {
    for (;;) {
      const found = this.#lines.find((line) => line.includes(text));
      if (found !== undefined) return found;
      if (this.#isOver) throw new Error(`No "${text}" in:\n${this.#lines.join('\n')}`);
      await new Promise<void>((wake) => this.#waiters.push(wake));
    }
  }

  /** The value of the first JSON line that contains the text. */
  async json(text: string): Promise<Readonly<Record<string, unknown>>> {
    return JSON.parse(await this.line(text)) as Readonly<Record<string, unknown>>;
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Asks it to end, unless it has, and waits. */
  async stop(): Promise<Ended> {
    if (!this.#isOver) this.kill('SIGTERM');
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) this.kill('SIGKILL');
    await this.ended;
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}
