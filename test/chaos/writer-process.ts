/** A writer as a process of its own, heard line by line. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Ledger } from './ledger.ts';

/** What to start. */
export interface WriterOptions {
  readonly folder: string;
  readonly life: number;
  readonly ledger: Ledger;
  /** `unsafe`: it acknowledges before anything is on the disk; `fill`: it only appends, to fill the disk. @default neither */
  readonly way?: 'unsafe' | 'fill';
}

/** See the head of this file. Dispose of it: it is killed. */
export class WriterProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #heard: Promise<unknown>;
  /** Resolves with the first acknowledged entry, or when the process has ended without one. */
  readonly working: Promise<void>;

  constructor({ folder, life, ledger, way }: WriterOptions) {
    const program = join(import.meta.dirname, 'writer.ts');
    const args = [
      '--import',
      'tsx',
      program,
      folder,
      String(life),
      ...(way === undefined ? [] : [`--${way}`]),
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    this.#ended = once(child, 'exit');
    const lines = createInterface({ input: child.stdout });
    this.#heard = once(lines, 'close');
    this.working = new Promise((resolve) => {
      lines.on('line', (line) => {
        ledger.note(line);
        if (line.startsWith('entry ')) resolve();
      });
      lines.on('close', () => {
        resolve();
      });
    });
  }

  /** The exit code once it has ended by itself and everything it said was heard. */
  async ended(): Promise<number | null> {
    await Promise.all([this.#ended, this.#heard]);
    return this.#child.exitCode;
  }

  /** Kills it as `kill -9` does; resolves when everything it said was heard. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await Promise.all([this.#ended, this.#heard]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.kill();
  }
}
