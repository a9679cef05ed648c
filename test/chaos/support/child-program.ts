/**
 * One operating system process of a run. It has a channel to this process, so that the programs of the CLI end by
 * themselves should this process be killed; whatever still runs when this process ends is killed by it.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';
import { wallMs } from './clock.ts';

/** The folder of this repository. */
export const ROOT: string = resolve(import.meta.dirname, '../../..');

/** A line of a program's output, and when it was read. */
export interface OutputLine {
  readonly text: string;
  readonly atMs: number;
}

/** How a process ended. */
export interface ProgramEnd {
  /** The exit code, or the signal that ended it. */
  readonly code: number | string | null;
  readonly atMs: number;
}

/** The newest lines that are kept of a program. */
const LINES_MAX = 5000;

const running = new Set<ChildProcess>();

process.on('exit', killAll);

/** Kills every process that was started here and still runs, frozen ones as well. */
export function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** See the head of this file. */
export class ChildProgram {
  readonly startedAtMs: number = wallMs();
  readonly ended: Promise<ProgramEnd>;
  readonly lines: OutputLine[] = [];
  readonly #process: ChildProcess;
  readonly #waiters: (() => void)[] = [];
  #end: ProgramEnd | undefined;

  constructor(path: string, words: readonly string[], environment: NodeJS.ProcessEnv) {
    const child = fork(path, words, {
      cwd: ROOT,
      env: environment,
      // Not those of this process, which may run TypeScript.
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#process = child;
    running.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (text) => {
        this.lines.push({ text, atMs: wallMs() });
        if (this.lines.length > LINES_MAX) this.lines.shift();
        this.#wake();
      });
    }
    // Nothing is said over the channel; it must not keep this process alive.
    child.channel?.unref();
    this.ended = new Promise((settle) => {
      child.once('exit', (code, signal) => {
        running.delete(child);
        this.#end = { code: code ?? signal, atMs: wallMs() };
        this.#wake();
        settle(this.#end);
      });
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#end === undefined;
  }

  /** Sends a signal; returns when it was sent. */
  signal(name: NodeJS.Signals): number {
    this.#process.kill(name);
    return wallMs();
  }

  /** Kills it and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.isRunning) this.signal('SIGKILL');
    await this.ended;
  }

  /** The first line that contains the text and was read at `sinceMs` or later. Rejects when the program ends without. */
  async line(text: string, sinceMs: number = 0): Promise<OutputLine> {
    for (;;) {
      const found = this.lines.find((line) => line.atMs >= sinceMs && line.text.includes(text));
      if (found !== undefined) return found;
      if (!this.isRunning)
        throw new Error(`Process ${this.pid} ended without "${text}": ${this.tail}`);
      await new Promise<void>((wake) => this.#waiters.push(wake));
    }
  }

  /** How many lines contain the text. */
  count(text: string): number {
    return this.lines.filter((line) => line.text.includes(text)).length;
  }

  /** Its last words. */
  get tail(): string {
    return this.lines
      .slice(-5)
      .map(({ text }) => text)
      .join('\n');
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}
