/** What every command gets beside its own options. */
import type { Terminal } from '../output/terminal.ts';
import type { Interruption } from './interruption.ts';

export interface CommandContext {
  readonly terminal: Terminal;
  /** `--json`: one JSON value per result on stdout. */
  readonly json: boolean;
  /** `--debug`: stack traces. */
  readonly debug: boolean;
  readonly interruption: Interruption;
  readonly environment: Readonly<Record<string, string | undefined>>;
}
