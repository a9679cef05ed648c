/**
 * What a command line looks like, as data: names, options, help texts. The parser, the help, the completion and the
 * README's test read it; the code of a command is loaded only when the command runs, which keeps `swarm --help` fast.
 */
import type { ExitCode } from '../output/exit-codes.ts';
import type { CommandContext } from './context.ts';
import type { Values } from './values.ts';

/** One `--option`. */
export interface OptionSpecification {
  readonly describe: string;
  /** A switch without a value; `--no-NAME` turns it off. @default false: the option takes a value */
  readonly isSwitch?: boolean;
  /** Shown in the help; given to the command where the option is absent. */
  readonly default?: string | boolean;
  /** Left out of the help: the text of another option names it. */
  readonly isHidden?: boolean;
  /** The values that there are, for the completion of shells; the command itself checks what it gets. */
  readonly words?: readonly string[];
}

/** A word at a fixed place. */
export interface PositionalSpecification {
  readonly name: string;
  readonly describe: string;
  readonly optional?: boolean;
  /** Any number of words may stand there. It is the last one. */
  readonly repeats?: boolean;
  /** As for options. */
  readonly words?: readonly string[];
}

/** One command, or a group of them. */
export interface CommandSpecification {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  readonly positionals?: readonly PositionalSpecification[];
  readonly options?: Readonly<Record<string, OptionSpecification>>;
  /** What to type, and what it does. */
  readonly examples?: readonly (readonly [string, string])[];
  /** Chosen by the first word behind the name. A command that has `load` too takes any other first word itself. */
  readonly commands?: readonly CommandSpecification[];
  /** Loads the code; absent for a group, which is nothing but its commands. */
  readonly load?: () => Promise<Command>;
}

/** The code of a command. */
export interface Command {
  run(values: Values, context: CommandContext): Promise<ExitCode>;
}

/** Options that every command has. */
export const COMMON_OPTIONS: Readonly<Record<string, OptionSpecification>> = {
  json: { describe: 'Print JSON on stdout, errors included', isSwitch: true, default: false },
  color: {
    describe: 'Colours in a terminal (NO_COLOR turns them off too)',
    isSwitch: true,
    default: true,
  },
  debug: { describe: 'Print stack traces with errors', isSwitch: true, default: false },
};
