/** Task types as people type them. */
import { AGENT_TYPE_OF_TASK, TASK_TYPE_PATTERN } from '../command-line/names.ts';
import { nearest } from '../command-line/suggestion.ts';
import { usageError } from '../output/command-error.ts';

/** The name of a task type, built in or a user's own. @throws BAD_OPTION */
export function parseTaskType(text: string): string {
  if (TASK_TYPE_PATTERN.test(text)) return text;
  const guess = nearest(text, Object.keys(AGENT_TYPE_OF_TASK));
  throw usageError(
    `"${text}" is not a task type.`,
    guess === undefined ? 'swarm reasoning ls lists them.' : `Did you mean "${guess}"?`,
  );
}
