/** Programs that oracles need: they are not installed by npm, and a machine without them cannot ask them. */
import { spawnSync } from 'node:child_process';

const ROOT = new URL('../..', import.meta.url).pathname;

/** What a program said, and whether it was there and succeeded. */
export type ProgramEnd =
  | { readonly isThere: false }
  | {
      readonly isThere: true;
      readonly succeeded: boolean;
      readonly stdout: string;
      readonly stderr: string;
    };

/** Runs a program in the repository's root to its end, whatever that is. */
export function tryProgram(program: string, words: readonly string[], input = ''): ProgramEnd {
  const { error, status, stdout, stderr } = spawnSync(program, words, {
    cwd: ROOT,
    encoding: 'utf8',
    input,
    maxBuffer: 2 ** 28,
  });
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') return { isThere: false };
  if (error !== undefined) throw error;
  return { isThere: true, succeeded: status === 0, stdout, stderr };
}

/** What a program writes. Fails with what it said when it is not there or fails. */
export function runProgram(program: string, words: readonly string[], input = ''): string {
  const end = tryProgram(program, words, input);
  if (!end.isThere) throw new Error(`${program} is not installed.`);
  if (!end.succeeded) throw new Error(`${program} failed: ${end.stderr}`);
  return end.stdout;
}
