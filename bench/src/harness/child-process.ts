/** A child process as the bench holds it: questions with time limits, and an end that is certain. */
import { fork, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Reply, Request, RequestName, Requests } from './messages.ts';

/** A question was not answered in time. */
export class TimedOut extends Error {}

const ENTRY = fileURLToPath(new URL('./child.js', import.meta.url));
const STOP_TIMEOUT_MS = 2000;
const TAIL_CHARACTERS = 2000;

interface Waiting {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** See the head of this file. */
export class BenchProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #requests = 0;
  #tail = '';
  /** Why nothing can be asked any more. */
  #end: Error | undefined;
  #programPids: readonly number[] = [];

  constructor(name: string, stateDirectory: string) {
    this.name = name;
    this.#child = fork(ENTRY, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // What the development identity of quic-swarm is kept in: never the user's own.
      env: { ...process.env, QUIC_SWARM_STATE_DIR: stateDirectory, GRPC_VERBOSITY: 'NONE' },
      execArgv: ['--enable-source-maps'],
    });
    this.#child.stdout?.on('data', (text: Buffer) => this.#note(text));
    this.#child.stderr?.on('data', (text: Buffer) => this.#note(text));
    this.#child.on('message', (reply: Reply) => this.#settle(reply));
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        const why = signal ?? `code ${code}`;
        this.#end = new Error(`the process ${name} ended (${why}): ${this.#tail.trim()}`);
        this.#rejectAll(this.#end);
        resolve();
      });
    });
  }

  /** Asks; rejects with {@link TimedOut} after `timeoutMs`, or with what went wrong over there. */
  async ask<Name extends RequestName>(
    name: Name,
    ask: Requests[Name]['ask'],
    timeoutMs: number,
  ): Promise<Requests[Name]['reply']> {
    if (this.#end !== undefined) throw this.#end;
    this.#requests += 1;
    const id = this.#requests;
    const request: Request = { id, name, ask };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new TimedOut(`${this.name}: no answer to ${name} after ${timeoutMs / 1000} s`));
      }, timeoutMs);
      this.#waiting.set(id, {
        resolve: (reply) => {
          clearTimeout(timer);
          resolve(reply as Requests[Name]['reply']);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#child.send(request, (error) => {
        // A process that has just ended says so itself, with more words.
        if (error !== null && this.#child.exitCode === null) this.#waiting.get(id)?.reject(error);
      });
    });
  }

  /** Becomes a process of a peer. */
  async start(
    ask: Requests['start']['ask'],
    timeoutMs: number,
  ): Promise<Requests['start']['reply']> {
    const reply = await this.ask('start', ask, timeoutMs);
    this.#programPids = reply.programPids;
    return reply;
  }

  /** CPU used so far, microseconds: by the process, and by each program that it started where the system tells. */
  async cpuMicros(timeoutMs: number): Promise<{ own: number; programs: number | undefined }> {
    const own = await this.ask('cpu', undefined, timeoutMs);
    let programs: number | undefined = this.#programPids.length === 0 ? undefined : 0;
    for (const pid of this.#programPids) {
      const used = cpuMicrosOf(pid);
      programs = used === undefined || programs === undefined ? undefined : programs + used;
    }
    return { own, programs };
  }

  /** Asks it to stop, and makes sure. */
  async stop(): Promise<void> {
    await this.ask('stop', undefined, STOP_TIMEOUT_MS).catch(() => undefined);
    await this.kill();
  }

  /** Ends it now, and the programs that it started. */
  async kill(): Promise<void> {
    for (const pid of this.#programPids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself, as it should.
      }
    }
    this.#programPids = [];
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #note(text: Buffer): void {
    this.#tail = (this.#tail + text.toString()).slice(-TAIL_CHARACTERS);
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('error' in reply) waiting?.reject(new Error(`${this.name}: ${reply.error}`));
    else waiting?.resolve(reply.reply);
  }

  #rejectAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** What all threads of a process have used; undefined where there is no /proc. The first field counts nanoseconds. */
function cpuMicrosOf(pid: number): number | undefined {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    const nanoseconds = tasks.map((task) =>
      Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
    );
    return nanoseconds.reduce((sum, each) => sum + each, 0) / 1000;
  } catch {
    return undefined;
  }
}
