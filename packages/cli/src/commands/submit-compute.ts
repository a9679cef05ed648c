/** `swarm submit compute`: a task type of the user's own. */
import { text as readAll } from 'node:stream/consumers';
import { TASK_TYPE_PATTERN } from '../command-line/names.ts';
import type { Command } from '../command-line/specification.ts';
import type { Values } from '../command-line/values.ts';
import { inputError, usageError } from '../output/command-error.ts';
import { toJson } from '../output/json.ts';
import { readSubmissionOptions, submitAndReport, type ResultView } from '../session/submission.ts';
import { readTextFile } from '../session/trust.ts';

/** What the command line says. */
export interface ComputeOptions {
  readonly taskType: string;
  readonly inputPath: string;
}

/** Reads the options. @throws BAD_OPTION */
export function parseComputeOptions(values: Values): ComputeOptions {
  const taskType = values.requiredText('task', '--task my.task');
  if (!TASK_TYPE_PATTERN.test(taskType)) {
    throw usageError(
      `--task "${taskType}" is not a task name.`,
      'A letter, then letters, digits, points, dashes and underscores; 64 at most.',
    );
  }
  return { taskType, inputPath: values.requiredText('input', '--input input.json') };
}

/** The command. */
export const submitComputeCommand: Command = {
  async run(values, context) {
    const { taskType, inputPath } = parseComputeOptions(values);
    const submission = await readSubmissionOptions(values, context);
    const input = await readJson(inputPath);
    return submitAndReport(context, submission, {
      taskType,
      prepare: () => Promise.resolve(input),
      ...computeView,
    });
  },
};

/** The result as it is. */
export const computeView: ResultView = {
  json: (result) => result,
  // A handler that returns nothing has nothing to print.
  lines: (result) => (result === undefined ? [] : [toJson(result)]),
};

async function readJson(path: string): Promise<unknown> {
  const text = path === '-' ? await readAll(process.stdin) : await readTextFile(path, '--input');
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw inputError(
      `--input ${path} is not JSON: ${reason}`,
      'Give one JSON value: an object, a list, a number, …',
    );
  }
}
