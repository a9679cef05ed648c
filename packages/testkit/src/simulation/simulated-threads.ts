/**
 * The worker threads of a simulated agent: they take time instead of computing. What the real pool can do to a task can
 * happen here too: several run in one thread one after the other, what stands behind a long one is taken back, a thread
 * ends under a task, a handler does not heed that it should stop and loses its thread.
 */
import type { Effect, Event, TaskResult } from '@quic-swarm/agent';
import { failure, type AgentTask, type Lease } from '@quic-swarm/protocol';
import type { Life } from './life.ts';
import type { Alarm } from './virtual-clock.ts';
import {
  chunkOf,
  fateOf,
  findingsOf,
  resultOf,
  workNumberOf,
  type Work,
  type WorkBook,
} from './work.ts';

/** What was asked to run, one after the other. */
export type Runnables = Extract<Effect, { type: 'RunTogether' }>['tasks'];

/** A shared thread that takes so long is held up, as in the agent's pool. */
const HELD_UP_AFTER_MS = 2;

/** The core hears that a handler has begun a turn of the event loop later. */
const BEGUN_AFTER_MS = 0.1;

/** A thread that has ended is replaced. */
const RESTART_MS = 30;

interface Run {
  readonly lease: Lease;
  readonly task: AgentTask;
  readonly work: Work;
  startedAtMs: number | undefined;
  isOver: boolean;
  readonly alarms: Alarm[];
}

interface Thread {
  batch: Run[];
  isStarting: boolean;
}

/** What threads need of their agent. */
export interface ThreadsOptions {
  readonly life: Life;
  readonly nowMs: () => number;
  readonly threads: number;
  readonly works: WorkBook;
  readonly tell: (event: Event) => void;
  /** A handler begins, really. */
  readonly onBegun: (task: AgentTask) => void;
  /** A handler ends the whole process. */
  readonly onFatal: () => void;
}

/** See the head of this file. */
export class SimulatedThreads {
  readonly #options: ThreadsOptions;
  readonly #threads: Thread[];
  #waiting: Run[][] = [];

  constructor(options: ThreadsOptions) {
    this.#options = options;
    this.#threads = Array.from({ length: options.threads }, () => ({
      batch: [],
      isStarting: false,
    }));
  }

  run(tasks: Runnables): void {
    const runs = tasks.map(({ lease, task }) => this.#runOf(lease, task));
    this.#waiting.push(runs);
    this.#dispatch();
  }

  /** Tells a handler to stop; after the grace its thread is ended. */
  abort(lease: Lease, graceMs: number): void {
    const waiting = this.#waiting.flat().find((run) => run.lease === lease);
    if (waiting !== undefined) {
      this.#waiting = this.#waiting
        .map((runs) => runs.filter((run) => run !== waiting))
        .filter((runs) => runs.length > 0);
      this.#endSoon(waiting, stopped(0));
      return;
    }
    const thread = this.#threads.find(({ batch }) => batch.some((run) => run.lease === lease));
    const run = thread?.batch.find((each) => each.lease === lease);
    if (thread === undefined || run === undefined || run.isOver) return;
    if (run.startedAtMs === undefined) {
      thread.batch = thread.batch.filter((other) => other !== run);
      this.#endSoon(run, stopped(0));
      return;
    }
    this.#stopRunning(thread, run, graceMs);
  }

  #stopRunning(thread: Thread, run: Run, graceMs: number): void {
    const { stopsAfterMs } = run.work;
    const heeds = stopsAfterMs !== undefined && stopsAfterMs < graceMs;
    this.#later(run, heeds ? stopsAfterMs : graceMs, () => {
      if (!heeds) this.#loseThread(thread, run);
      this.#finish(thread, run, stopped(this.#elapsedMs(run)));
    });
  }

  #runOf(lease: Lease, task: AgentTask): Run {
    const work = this.#options.works.get(workNumberOf(task.payload));
    if (work === undefined) throw new Error('The input of a task is not what was submitted.');
    return { lease, task, work, startedAtMs: undefined, isOver: false, alarms: [] };
  }

  #dispatch(): void {
    for (const thread of this.#threads) {
      if (thread.isStarting || thread.batch.length > 0) continue;
      const next = this.#waiting.shift();
      if (next === undefined) return;
      thread.batch = next;
      if (next.length > 1) {
        this.#options.life.after(HELD_UP_AFTER_MS, () => this.#look(thread, next));
      }
      this.#begin(thread);
    }
  }

  #begin(thread: Thread): void {
    const [run] = thread.batch;
    if (run === undefined) {
      this.#dispatch();
      return;
    }
    const { onBegun, tell, nowMs } = this.#options;
    run.startedAtMs = nowMs();
    onBegun(run.task);
    const { computeMs, progressReports, chunks, number } = run.work;
    const fate = fateOf(run.work, run.task.attempt);
    if (computeMs > BEGUN_AFTER_MS) {
      this.#later(run, BEGUN_AFTER_MS, () => tell({ type: 'TasksBegun', leases: [run.lease] }));
    }
    for (let report = 1; report <= progressReports; report += 1) {
      const fraction = report / (progressReports + 1);
      this.#later(run, computeMs * fraction, () =>
        tell({ type: 'ProgressReported', lease: run.lease, fraction }),
      );
    }
    for (let sequence = 0; sequence < chunks; sequence += 1) {
      this.#later(run, (computeMs * (sequence + 1)) / (chunks + 1), () =>
        tell({ type: 'ChunkEmitted', lease: run.lease, payload: chunkOf(number, sequence) }),
      );
    }
    // What goes wrong does so in the middle, with some of the parts sent.
    const endsAfterMs = fate === 'succeeds' ? computeMs : computeMs * 0.7;
    this.#later(run, endsAfterMs, () => this.#meetFate(thread, run, fate));
  }

  #meetFate(thread: Thread, run: Run, fate: ReturnType<typeof fateOf>): void {
    const computeMs = this.#elapsedMs(run);
    const took = { computeMs, serviceMs: computeMs, usedArm: false };
    if (fate === 'killsAgent') {
      this.#options.onFatal();
    } else if (fate === 'succeeds') {
      const payload = resultOf(run.work.number);
      const { arm } = run.task;
      const learnt =
        arm === undefined ? {} : { usedArm: true, findings: findingsOf(run.work, arm) };
      this.#finish(thread, run, { outcome: 'succeeded', payload, ...took, ...learnt });
    } else if (fate === 'crashesThread') {
      this.#loseThread(thread, run);
      const reason = failure('WORKER_CRASHED', 'The worker thread ended.');
      this.#finish(thread, run, { outcome: 'failed', failure: reason, computeMs, usedArm: false });
    } else {
      const reason = {
        code: 'UNKNOWN',
        type: fate === 'fails' ? 'HANDLER_FAILED' : 'HANDLER_REFUSED',
        message: 'The handler failed.',
        retryable: fate === 'fails',
      } as const;
      this.#finish(thread, run, { outcome: 'failed', failure: reason, ...took });
    }
  }

  /** The thread ends with the run that it is at; what it has not begun waits again, in front. */
  #loseThread(thread: Thread, run: Run): void {
    const unbegun = thread.batch.filter((other) => other !== run);
    thread.batch = [run];
    thread.isStarting = true;
    if (unbegun.length > 0) this.#waiting.unshift(unbegun);
    this.#options.life.after(RESTART_MS, () => {
      thread.isStarting = false;
      this.#dispatch();
    });
  }

  #finish(thread: Thread, run: Run, result: TaskResult): void {
    if (run.isOver) return;
    run.isOver = true;
    for (const alarm of run.alarms) alarm.cancel();
    thread.batch = thread.batch.filter((other) => other !== run);
    this.#options.tell({ type: 'TaskFinished', lease: run.lease, result });
    if (thread.isStarting) this.#dispatch();
    else if (thread.batch[0]?.startedAtMs === undefined) this.#begin(thread);
  }

  /** What stands behind a handler that takes long is given back. */
  #look(thread: Thread, batch: readonly Run[]): void {
    const running = thread.batch.find(({ startedAtMs }) => startedAtMs !== undefined);
    if (running === undefined || !batch.includes(running)) return;
    const unbegun = thread.batch.filter((run) => run !== running && batch.includes(run));
    thread.batch = thread.batch.filter((run) => !unbegun.includes(run));
    const { tell, nowMs } = this.#options;
    const tookMs = nowMs() - (running.startedAtMs ?? nowMs());
    tell({ type: 'TaskTurnedOutLong', lease: running.lease, tookMs });
    if (unbegun.length === 0) return;
    for (const run of unbegun) run.isOver = true;
    const tasks = unbegun.map(({ lease, task }) => ({ lease, task }));
    tell({ type: 'TasksTakenBack', tasks });
  }

  #endSoon(run: Run, result: TaskResult): void {
    run.isOver = true;
    this.#options.life.after(0, () =>
      this.#options.tell({ type: 'TaskFinished', lease: run.lease, result }),
    );
  }

  #later(run: Run, delayMs: number, action: () => void): void {
    const guarded = (): void => {
      if (!run.isOver) action();
    };
    run.alarms.push(this.#options.life.after(delayMs, guarded));
  }

  #elapsedMs({ startedAtMs }: Run): number {
    const nowMs = this.#options.nowMs();
    return nowMs - (startedAtMs ?? nowMs);
  }
}

function stopped(computeMs: number): TaskResult {
  return { outcome: 'cancelled', computeMs, usedArm: false };
}
