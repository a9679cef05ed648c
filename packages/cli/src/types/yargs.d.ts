/** The part of yargs 18 that this package uses; yargs ships no types. */
declare module 'yargs' {
  export interface ParsedArguments {
    readonly [name: string]: unknown;
  }
  export interface OptionDefinition {
    readonly type?: 'string' | 'boolean';
    readonly describe: string;
    readonly default?: string | boolean;
    readonly requiresArg?: boolean;
    readonly hidden?: boolean;
  }
  export interface Yargs {
    scriptName(name: string): Yargs;
    locale(name: string): Yargs;
    wrap(columns: number): Yargs;
    usage(text: string): Yargs;
    epilogue(text: string): Yargs;
    example(command: string, text: string): Yargs;
    exitProcess(enabled: boolean): Yargs;
    parserConfiguration(configuration: Readonly<Record<string, boolean>>): Yargs;
    strict(): Yargs;
    recommendCommands(): Yargs;
    demandCommand(minimum: number, message: string): Yargs;
    showHelpOnFail(enabled: boolean): Yargs;
    help(name?: string): Yargs;
    hide(option: string): Yargs;
    version(text: string): Yargs;
    option(name: string, definition: OptionDefinition): Yargs;
    positional(name: string, definition: OptionDefinition): Yargs;
    command(
      name: string,
      summary: string | false,
      builder: (yargs: Yargs) => Yargs,
      handler?: (parsed: ParsedArguments) => void,
    ): Yargs;
    fail(handler: (message: string | null, error: Error | undefined) => never): Yargs;
    parseAsync(
      words: readonly string[],
      done: (error: Error | undefined, parsed: ParsedArguments, output: string) => void,
    ): Promise<ParsedArguments>;
  }
  const yargs: () => Yargs;
  export default yargs;
}
