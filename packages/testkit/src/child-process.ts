/** Programs under test: started, listened to line by line, and gone when the test is. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** How a program ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A Node program that a test runs. Dispose of it with `await using`: what still runs is killed. */
export class TestProcess implements AsyncDisposable {
  readonly stdoutLines: string[] = [];
  readonly stderrLines: string[] = [];
  readonly exit: Promise<Exit>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #waiters = new Set<() => void>();
  #exited: Exit | undefined;

  constructor(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [file, ...args], {
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#collect(this.#child.stdout, this.stdoutLines);
    this.#collect(this.#child.stderr, this.stderrLines);
    this.exit = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        this.#exited = { code, signal };
        this.#notify();
        resolve(this.#exited);
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The first line, already printed or still to come, that contains the text. Rejects when the program ends without it. */
  async line(stream: 'stdout' | 'stderr', text: string): Promise<string> {
    const lines = stream === 'stdout' ? this.stdoutLines : this.stderrLines;
    for (;;) {
      const found = lines.find((line) => line.includes(text));
      if (found !== undefined) return found;
      if (this.#exited !== undefined) {
        throw new Error(
          `exited with ${JSON.stringify(this.#exited)} before "${text}":\n${this.stderrLines.join('\n')}\n${this.stdoutLines.join('\n')}`,
        );
      }
      await new Promise<void>((resolve) => {
        this.#waiters.add(resolve);
      });
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exited === undefined) this.kill('SIGKILL');
    await this.exit;
  }

  #collect(stream: Readable, lines: string[]): void {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      this.#notify();
    });
  }

  #notify(): void {
    for (const resolve of this.#waiters) resolve();
    this.#waiters.clear();
  }
}
