/** Programs that oracles need: they are not installed by npm, and a machine without them cannot ask them. */
import { spawnSync } from 'node:child_process';

/** Runs a program to its end; undefined when it is not there. Fails with what it said when it fails. */
export function runProgram(program: string, words: readonly string[]): string | undefined {
  const { error, status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8' });
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') return undefined;
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return stdout;
}

/** Whether R has this package; says loudly what is not compared when it has not. */
export function hasRPackage(name: string, notCompared: string): boolean {
  const answer = runProgram('Rscript', ['-e', `cat(requireNamespace("${name}", quietly = TRUE))`]);
  if (answer === 'TRUE') return true;
  const missing = answer === undefined ? 'Rscript is' : `the R package ${name} is`;
  console.warn(`NOT COMPARED: ${notCompared}, because ${missing} not installed.`);
  return false;
}
