/** A bar on stderr for long work, drawn only where a person watches; elsewhere silent. */
import { SingleBar } from 'cli-progress';
import type { Terminal } from './terminal.ts';

/** Moves from 0 to 1. Call `stop` in every case: the cursor is hidden meanwhile. */
export class ProgressBar {
  readonly #bar: SingleBar | undefined;
  readonly #label: string;

  constructor(terminal: Terminal, label: string) {
    this.#label = label;
    if (!terminal.isWatched) return;
    this.#bar = new SingleBar({
      format: '{label} {bar} {percentage} % {text}',
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
      barCompleteChar: terminal.sign('█', '#'),
      barIncompleteChar: terminal.sign('░', '-'),
      barsize: 30,
      emptyOnZero: true,
      // The library would catch signals itself; here they belong to `Interruption`.
      gracefulExit: false,
    });
    this.#bar.start(1, 0, { label, text: '' });
  }

  /** `fraction` from 0 to 1. */
  update(fraction: number, text = ''): void {
    this.#bar?.update(Math.min(1, fraction), { label: this.#label, text });
  }

  stop(): void {
    this.#bar?.stop();
  }
}
