/**
 * SIGINT, SIGTERM and SIGHUP as one AbortSignal. The first one asks: commands finish or hand back what they have.
 * The second one ends the process at once. A process that was forked and whose parent has gone is asked to end too:
 * nothing that `swarm demo` starts outlives it, even when it is killed with SIGKILL.
 */
import { exitCodeOfSignal } from '../output/failure-report.ts';
import type { ExitCode } from '../output/exit-codes.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const INTERRUPTED = Symbol('interrupted');

/** The part of `process` that is needed; a test gives its own. */
export interface SignalSource {
  on(event: string, listener: (signal: NodeJS.Signals) => void): unknown;
  off(event: string, listener: (signal: NodeJS.Signals) => void): unknown;
  exit(code: number): void;
  /** True where a parent process holds a channel to this one, false when it held one, else undefined. */
  readonly connected?: boolean | undefined;
}

/** Listens from its construction until `dispose`. */
export class Interruption {
  readonly #source: SignalSource;
  readonly #controller = new AbortController();
  #first: NodeJS.Signals | undefined;
  #reason = new Error('Interrupted.');

  constructor(source: SignalSource) {
    this.#source = source;
    for (const name of SIGNALS) source.on(name, this.#onSignal);
    if (source.connected === true) source.on('disconnect', this.#onParentGone);
    // It was forked, and the parent went away while this process was still loading.
    if (source.connected === false) this.#onParentGone();
  }

  /** Aborts with the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Settles with the first signal; never rejects. */
  readonly whenInterrupted: Promise<'interrupted'> = new Promise((resolve) => {
    this.#controller.signal.addEventListener('abort', () => {
      resolve('interrupted');
    });
  });

  /** The value of `work`, or the signal's reason thrown when that comes first. `main` answers it with its exit code. */
  async orInterrupted<T>(work: Promise<T>): Promise<T> {
    const value = await Promise.race([work, this.whenInterrupted.then(() => INTERRUPTED)]);
    if (value !== INTERRUPTED) return value as T;
    // Nobody waits for it any more; its failure is no news.
    work.catch(() => undefined);
    throw this.#reason;
  }

  /** The first signal that came. */
  get received(): NodeJS.Signals | undefined {
    return this.#first;
  }

  /** What a command that was interrupted answers; undefined when it was not. */
  get exitCode(): ExitCode | undefined {
    return this.#first === undefined ? undefined : exitCodeOfSignal(this.#first);
  }

  /** Stops listening; a later signal has its usual effect. */
  dispose(): void {
    for (const name of SIGNALS) this.#source.off(name, this.#onSignal);
    this.#source.off('disconnect', this.#onParentGone);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (this.#first !== undefined) {
      this.#source.exit(exitCodeOfSignal(signal));
      return;
    }
    this.#first = signal;
    this.#reason = new Error(`Interrupted by ${signal}.`);
    this.#controller.abort(this.#reason);
  };

  readonly #onParentGone = (): void => {
    if (this.#first === undefined) this.#onSignal('SIGTERM');
  };
}
