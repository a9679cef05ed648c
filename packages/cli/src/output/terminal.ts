/**
 * Where text goes: results to stdout, everything else to stderr. Colours and moving bars appear only where a person
 * looks at a terminal that shows them.
 */

const STYLES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** How a piece of text is painted. */
export type Style = keyof typeof STYLES;

/** The part of a stream that is written to; a test gives its own. */
export interface TextSink {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): boolean;
}

/** What decides about colours. */
export interface TerminalOptions {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** False after `--no-color`. @default true */
  readonly color?: boolean;
}

/** Two streams and what they can show. */
export class Terminal {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  /** stderr is watched by a person: progress may be drawn. */
  readonly isWatched: boolean;
  /** stdout is watched by a person. */
  readonly isInteractive: boolean;
  /** Signs beyond ASCII may be printed. */
  readonly isUnicode: boolean;
  readonly #stdoutColor: boolean;
  readonly #stderrColor: boolean;

  constructor({ stdout, stderr, environment, color = true }: TerminalOptions) {
    this.stdout = stdout;
    this.stderr = stderr;
    const isDumb = environment['TERM'] === 'dumb';
    this.isWatched = stderr.isTTY === true && !isDumb;
    this.isInteractive = stdout.isTTY === true;
    this.isUnicode = /utf-?8/i.test(
      environment['LC_ALL'] ?? environment['LC_CTYPE'] ?? environment['LANG'] ?? '',
    );
    const forced = environment['FORCE_COLOR'] ?? '';
    const isForced = forced !== '' && forced !== '0';
    // https://no-color.org: any value but the empty one turns colours off.
    const isAllowed = color && (environment['NO_COLOR'] ?? '') === '' && !isDumb;
    this.#stdoutColor = isAllowed && (isForced || this.isInteractive);
    this.#stderrColor = isAllowed && (isForced || stderr.isTTY === true);
  }

  /** A line of the result. */
  print(text: string): void {
    this.stdout.write(`${text}\n`);
  }

  /** One JSON value on a line of its own. */
  printJson(json: string): void {
    this.stdout.write(`${json}\n`);
  }

  /** A line for the person, not part of the result. */
  note(text: string): void {
    this.stderr.write(`${text}\n`);
  }

  /** Text for stdout in a colour. */
  paint(style: Style, text: string): string {
    return this.#stdoutColor ? painted(style, text) : text;
  }

  /** Text for stderr in a colour. */
  paintNote(style: Style, text: string): string {
    return this.#stderrColor ? painted(style, text) : text;
  }

  /** A sign and what stands for it where only ASCII is safe. */
  sign(unicode: string, ascii: string): string {
    return this.isUnicode ? unicode : ascii;
  }
}

function painted(style: Style, text: string): string {
  return `\u001B[${STYLES[style]}m${text}\u001B[${style === 'bold' || style === 'dim' ? 22 : 39}m`;
}
