/**
 * From words to a command: yargs reads the specification; unknown options and commands are errors with a guess of
 * what was meant. Nothing runs here: the caller gets either a command to load or a text to print.
 */
import yargs, { type ParsedArguments, type Yargs } from 'yargs';
import { usageError } from '../output/command-error.ts';
import {
  COMMON_OPTIONS,
  type Command,
  type CommandSpecification,
  type OptionSpecification,
  type PositionalSpecification,
} from './specification.ts';
import { nearest, suggest } from './suggestion.ts';
import { Values } from './values.ts';

/** What the words ask for. */
export type ParsedCommandLine =
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'run'; readonly load: () => Promise<Command>; readonly values: Values };

/** How the program was called. */
export interface ParserOptions {
  readonly version: string;
  /** Width of the terminal, for the help. @default 100 */
  readonly columns?: number;
}

/** Printed below each help text. */
const EPILOGUE =
  'Exit codes: 0 ok, 1 task failed, 64 usage or bad input, 69 no coordinator, 70 bug,\n' +
  '73 port, id or folder taken, 75 try later, 77 certificate, 78 versions, 130 Ctrl-C, 143 SIGTERM.';

/** Reads the words behind the program's name. @throws BAD_OPTION */
export async function parseCommandLine(
  program: CommandSpecification,
  words: readonly string[],
  options: ParserOptions,
): Promise<ParsedCommandLine> {
  let chosen: { specification: CommandSpecification; parsed: ParsedArguments } | undefined;
  let text = '';
  const path = pathOf(program, words);
  const parser = baseParser(program, options).fail((message, error) => {
    throw explained(message ?? error?.message ?? 'unknown', path);
  });
  declare(parser, program, (specification, parsed) => {
    chosen = { specification, parsed };
  });
  await parser.parseAsync(words, (_error, _parsed, output) => {
    text = output;
  });
  if (text !== '' || chosen === undefined) return { kind: 'print', text };
  const { load } = chosen.specification;
  if (load === undefined) throw explained('Which command?', path);
  return { kind: 'run', load, values: new Values(chosen.parsed) };
}

function baseParser(program: CommandSpecification, options: ParserOptions): Yargs {
  return yargs()
    .scriptName(program.name)
    .locale('en')
    .wrap(Math.min(options.columns ?? 100, 100))
    .exitProcess(false)
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'camel-case-expansion': false,
      'dot-notation': false,
    })
    .strict()
    .recommendCommands()
    .showHelpOnFail(false)
    .version(options.version)
    .help();
}

type Choose = (specification: CommandSpecification, parsed: ParsedArguments) => void;

/** Tells yargs about a program: its own form, its commands, or both. */
function declare(parser: Yargs, program: CommandSpecification, choose: Choose): void {
  if (program.load !== undefined) declareOwnForm(parser, program, choose);
  if (program.commands !== undefined) declareCommands(parser, program, program.name, choose);
}

/** What runs when the first word names none of the commands. */
function declareOwnForm(parser: Yargs, command: CommandSpecification, choose: Choose): void {
  const words = (command.positionals ?? []).map(positionalText);
  parser.command(
    ['$0', ...words].join(' '),
    command.summary,
    (inner) => declareForm(inner, command, undefined),
    (parsed) => {
      choose(command, parsed);
    },
  );
}

function declareCommands(
  parser: Yargs,
  group: CommandSpecification,
  path: string,
  choose: Choose,
): Yargs {
  for (const command of group.commands ?? []) declareCommand(parser, command, path, choose);
  // Its own form says the rest.
  if (group.load !== undefined) return parser;
  for (const [line, text] of group.examples ?? []) parser.example(line, text);
  return parser
    .usage(`${path} COMMAND\n\n${group.summary}`)
    .demandCommand(1, 'Which command?')
    .epilogue(EPILOGUE);
}

function declareCommand(
  parser: Yargs,
  command: CommandSpecification,
  path: string,
  choose: Choose,
): void {
  const innerPath = `${path} ${command.name}`;
  // The words of one that has commands of its own stand with its own form, or they would be taken for them.
  const words =
    command.commands === undefined ? (command.positionals ?? []).map(positionalText) : [];
  parser.command(
    [command.name, ...words].join(' '),
    command.summary,
    (inner) => {
      if (command.commands === undefined) return declareForm(inner, command, innerPath);
      if (command.load !== undefined) declareOwnForm(inner, command, choose);
      return declareCommands(inner, command, innerPath, choose);
    },
    (parsed) => {
      choose(command, parsed);
    },
  );
}

/** `path` is undefined for a program without commands: yargs heads its help by itself. */
function declareForm(
  parser: Yargs,
  command: CommandSpecification,
  path: string | undefined,
): Yargs {
  const words = (command.positionals ?? []).map(positionalText);
  for (const { name, describe } of command.positionals ?? []) {
    parser.positional(name, { type: 'string', describe });
  }
  for (const [name, option] of Object.entries({ ...command.options, ...COMMON_OPTIONS })) {
    parser.option(name, definitionOf(option));
  }
  for (const [line, text] of command.examples ?? []) parser.example(line, text);
  if (path !== undefined) {
    parser.usage(`${[path, ...words].join(' ')} [OPTIONS]\n\n${command.summary}`);
    // Whoever reads this knows of --help; the program's own help names both.
    parser.hide('help').hide('version');
  }
  return parser.epilogue(EPILOGUE);
}

function definitionOf(option: OptionSpecification): Parameters<Yargs['option']>[1] {
  return {
    describe: option.describe,
    ...(option.default === undefined ? {} : { default: option.default }),
    ...(option.isHidden === true ? { hidden: true } : {}),
    // Options with a value have no type: texts are what `Values` reads, and the help stays free of "[string]".
    ...(option.isSwitch === true ? { type: 'boolean' } : { requiresArg: true }),
  };
}

function positionalText({ name, optional, repeats }: PositionalSpecification): string {
  const words = repeats === true ? `${name}..` : name;
  return optional === true ? `[${words}]` : `<${words}>`;
}

/** The deepest command that the words name, for error texts. */
interface CommandPath {
  readonly path: string;
  readonly specification: CommandSpecification;
  /** The word behind it, when it is a word and a command was expected. */
  readonly unknownWord: string | undefined;
}

function pathOf(program: CommandSpecification, words: readonly string[]): CommandPath {
  let specification = program;
  let path = program.name;
  for (const word of words) {
    if (word.startsWith('-')) continue;
    const inner = specification.commands?.find((command) => command.name === word);
    if (inner === undefined) {
      const isGroup = specification.commands !== undefined && specification.load === undefined;
      const unknownWord = isGroup ? word : undefined;
      return { path, specification, unknownWord };
    }
    specification = inner;
    path += ` ${word}`;
  }
  return { path, specification, unknownWord: undefined };
}

/** yargs' complaint in this project's manner: what, and what to do. */
function explained(message: string, { path, specification, unknownWord }: CommandPath): Error {
  const help = `Help: ${path} --help`;
  const commands = (specification.commands ?? []).map((command) => command.name);
  if (unknownWord !== undefined) {
    return usageError(
      `"${unknownWord}" is no command of ${path}.`,
      `${suggest(unknownWord, commands)}\n${help}`,
    );
  }
  if (commands.length > 0 && specification.load === undefined) {
    return usageError(`${path}: which command?`, `Known: ${commands.join(', ')}.\n${help}`);
  }
  const synopsis = [path, ...(specification.positionals ?? []).map(positionalText)].join(' ');
  const unknown = /^Unknown arguments?: (.*)$/.exec(message)?.[1]?.split(', ')[0];
  if (unknown !== undefined) return unknownOption(unknown, specification, help);
  if (message.startsWith('Not enough non-option arguments')) {
    const names = (specification.positionals ?? []).filter(({ optional }) => optional !== true);
    const other = commands.length === 0 ? '' : `Or a command: ${path} ${commands.join(', ')}.\n`;
    return usageError(
      `${path} needs ${names.map(({ name }) => name).join(' ')}.`,
      `Usage: ${synopsis} [OPTIONS]\n${other}${help}`,
    );
  }
  const missing = /^Not enough arguments following: (.*)$/.exec(message)?.[1];
  if (missing !== undefined) return usageError(`--${missing} has no value.`, help);
  return usageError(message, help);
}

function unknownOption(name: string, specification: CommandSpecification, help: string): Error {
  const names = Object.keys({ ...specification.options, ...COMMON_OPTIONS });
  const guess = nearest(name.replace(/^no-/, ''), names);
  // yargs does not say whether the unknown thing was an option or a word too many.
  return usageError(
    `"${name}" is neither an option nor an expected word.`,
    guess === undefined ? help : `Did you mean --${guess}?\n${help}`,
  );
}
