/**
 * The processes that the demo starts. Each gets a process group of its own, so that Ctrl-C reaches only the demo, which
 * ends them in good order; and a channel to the demo, so that they end themselves when the demo is killed without a
 * word (see interruption.ts). Whatever happens, none is left behind.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../output/command-error.ts';

/** The line that says that a server is up. */
export interface ReadyEvent {
  readonly event: string;
  readonly address: string;
  readonly fingerprint?: string;
}

/** How long a child may take to say that it is ready. Generous: ten seconds on two cores would mean trouble. */
const READY_PATIENCE_MS = 20_000;

/** How long a child may take to drain before it is killed. */
const STOP_PATIENCE_MS = 5_000;

/** Lines of stderr that are kept to explain an unexpected end. */
const KEPT_LINES = 12;

interface Child {
  readonly name: string;
  readonly process: ChildProcess;
  readonly exited: Promise<void>;
  readonly lastLines: string[];
}

/** Starts and stops them. */
export class ChildProcesses {
  readonly #children: Child[] = [];
  /** Rejects when a child ends that nobody told to; never resolves. */
  readonly failed: Promise<never>;
  #fail: (error: Error) => void = () => undefined;
  #isStopping = false;

  constructor() {
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // Somebody may stop listening before a child fails.
    this.failed.catch(() => undefined);
    process.on('exit', this.#killAll);
  }

  /** Starts a bin of this package and waits for its first JSON line. */
  async start(program: 'coordinator' | 'agent', words: readonly string[]): Promise<ReadyEvent> {
    const bin = fileURLToPath(new URL(`../../bin/${program}.js`, import.meta.url));
    const child = fork(bin, [...words, '--json', '--log-level', 'warn'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const name = program === 'agent' ? (words[1] ?? program) : program;
    const lastLines: string[] = [];
    const exited = new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        resolve();
        if (!this.#isStopping) this.#fail(unexpectedEnd(name, code ?? signal, lastLines));
      });
    });
    this.#children.push({ name, process: child, exited, lastLines });
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on('line', (line) => {
        lastLines.push(line);
        if (lastLines.length > KEPT_LINES) lastLines.shift();
      });
    }
    return Promise.race([readyEvent(child, name), this.failed]);
  }

  /** Ends the agents, then the coordinator: SIGTERM, and SIGKILL for those that do not listen. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const [coordinator, ...agents] = this.#children;
    await Promise.all(agents.map(stopChild));
    if (coordinator !== undefined) await stopChild(coordinator);
    process.off('exit', this.#killAll);
  }

  readonly #killAll = (): void => {
    for (const { process: child } of this.#children) if (isAlive(child)) child.kill('SIGKILL');
  };
}

async function readyEvent(child: ChildProcess, name: string): Promise<ReadyEvent> {
  const { stdout } = child;
  if (stdout === null) throw new Error('A child without stdout.');
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new CommandError(
          'CONNECT_FAILED',
          `${name} was not ready within ${READY_PATIENCE_MS / 1000} s.`,
          { hint: 'Is the machine very busy? Try again.' },
        ),
      );
    }, READY_PATIENCE_MS);
    createInterface({ input: stdout }).once('line', (line) => {
      clearTimeout(timer);
      try {
        resolve(JSON.parse(line) as ReadyEvent);
      } catch (error) {
        reject(new CommandError('INTERNAL', `${name} said "${line}".`, { cause: error }));
      }
    });
    child.once('exit', () => {
      clearTimeout(timer);
    });
  });
}

async function stopChild({ process: child, exited }: Child): Promise<void> {
  if (!isAlive(child)) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS);
  await exited;
  clearTimeout(timer);
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function unexpectedEnd(name: string, how: number | string | null, lastLines: string[]): Error {
  const said = lastLines.length === 0 ? '' : `\n${lastLines.join('\n')}`;
  return new CommandError('INTERNAL', `${name} ended unexpectedly (${how ?? '?'}).${said}`);
}
