/** Command lines as a test writes them. */
import type { SignalSource } from '../src/command-line/interruption.ts';
import { parseCommandLine } from '../src/command-line/parser.ts';
import type { CommandSpecification } from '../src/command-line/specification.ts';
import type { Values } from '../src/command-line/values.ts';
import { Terminal, type TextSink } from '../src/output/terminal.ts';
import { SWARM } from '../src/specifications/swarm.ts';

/** The values that a command gets for these words. */
export async function valuesOf(
  words: readonly string[],
  program: CommandSpecification = SWARM,
): Promise<Values> {
  const parsed = await parseCommandLine(program, words, { version: '0.0.0' });
  if (parsed.kind === 'run') return parsed.values;
  throw new Error(`A text was printed: ${parsed.text}`);
}

/** Keeps what is written. */
export class KeptText implements TextSink {
  text = '';
  readonly isTTY: boolean;

  constructor(isTTY = false) {
    this.isTTY = isTTY;
  }

  write(text: string): boolean {
    this.text += text;
    return true;
  }
}

/** A terminal whose text a test can read. */
export function keptTerminal(
  options: {
    readonly isTTY?: boolean;
    readonly environment?: Readonly<Record<string, string>>;
    readonly color?: boolean;
  } = {},
): { terminal: Terminal; stdout: KeptText; stderr: KeptText } {
  const { isTTY = false, environment = {}, color = true } = options;
  const stdout = new KeptText(isTTY);
  const stderr = new KeptText(isTTY);
  return { terminal: new Terminal({ stdout, stderr, environment, color }), stdout, stderr };
}

/** Signals that a test raises. */
export class SignalBox implements SignalSource {
  readonly connected: boolean | undefined;
  readonly exits: number[] = [];
  readonly #listeners: [string, (signal: NodeJS.Signals) => void][] = [];

  constructor(connected?: boolean) {
    this.connected = connected;
  }

  on(event: string, listener: (signal: NodeJS.Signals) => void): void {
    this.#listeners.push([event, listener]);
  }

  off(event: string, listener: (signal: NodeJS.Signals) => void): void {
    const index = this.#listeners.findIndex((entry) => entry[0] === event && entry[1] === listener);
    if (index >= 0) this.#listeners.splice(index, 1);
  }

  exit(code: number): void {
    this.exits.push(code);
  }

  raise(event: string): void {
    for (const [name, listener] of this.#listeners) {
      if (name === event) listener(event as NodeJS.Signals);
    }
  }
}
