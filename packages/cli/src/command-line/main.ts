/** The frame around every command: parse, run, report, exit code. The three bins differ only in their specification. */
import { readFileSync } from 'node:fs';
import { EXIT, type ExitCode } from '../output/exit-codes.ts';
import { reportFailure } from '../output/failure-report.ts';
import { Terminal, type TextSink } from '../output/terminal.ts';
import { Interruption } from './interruption.ts';
import type { CommandContext } from './context.ts';
import { COMPLETE_WORD, completionsFor } from './completions.ts';
import { parseCommandLine } from './parser.ts';
import type { CommandSpecification } from './specification.ts';

/** Runs a program with the words behind its name and ends the process. */
export async function main(
  program: CommandSpecification,
  words: readonly string[],
): Promise<never> {
  // A reader that has seen enough (`| head`) closes the pipe: no reason to say anything.
  process.stdout.on('error', ignoreClosedPipe);
  process.stderr.on('error', ignoreClosedPipe);
  const interruption = new Interruption(process);
  const { stdout, stderr, env: environment } = process;
  const code = await runProgram(program, words, { stdout, stderr, environment, interruption });
  interruption.dispose();
  // On a pipe the last lines may still be on their way.
  await flushed(process.stdout);
  await flushed(process.stderr);
  process.exit(code);
}

/** What a program has around it: the process, or what a test gives. */
export interface Surroundings extends Pick<CommandContext, 'interruption' | 'environment'> {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
}

/** Runs a program and gives its exit code; never throws. */
export async function runProgram(
  program: CommandSpecification,
  words: readonly string[],
  { stdout, stderr, environment, interruption }: Surroundings,
): Promise<ExitCode> {
  if (words[0] === COMPLETE_WORD) {
    for (const word of completionsFor(program, words.slice(1))) stdout.write(`${word}\n`);
    return EXIT.ok;
  }
  // Known before parsing, since parsing may be what fails.
  const json = words.includes('--json');
  const debug = words.includes('--debug');
  const color = !words.includes('--no-color');
  const terminal = new Terminal({ stdout, stderr, environment, color });
  try {
    const parsed = await parseCommandLine(program, words, {
      version: versionText(),
      columns: stdout.columns ?? 100,
    });
    if (parsed.kind === 'print') {
      terminal.print(words.includes('--version') ? await versionLine() : parsed.text);
      return EXIT.ok;
    }
    const command = await parsed.load();
    const context = { terminal, json, debug, interruption, environment };
    return await command.run(parsed.values, context);
  } catch (error) {
    const { exitCode } = interruption;
    if (exitCode !== undefined && error === interruption.signal.reason) return exitCode;
    return reportFailure(terminal, error, { json, debug });
  }
}

/** The release of this package. */
export function versionText(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}

async function versionLine(): Promise<string> {
  const { PROTOCOL_MAX } = await import('@quic-swarm/protocol');
  const { version, platform, arch } = process;
  return `quic-swarm ${versionText()} (protocol ${PROTOCOL_MAX}, node ${version.slice(1)}, ${platform}-${arch})`;
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.destroyed || stream.writableLength === 0) return;
  await new Promise<void>((resolve) => {
    stream.write('', () => {
      resolve();
    });
  });
}
