/** Task ids as people type them. */
import { TASK_ID_PATTERN } from '../command-line/names.ts';
import { usageError } from '../output/command-error.ts';

/** The id as the coordinator writes it. @throws BAD_OPTION */
export function parseTaskId(text: string): string {
  const taskId = text.toLowerCase();
  if (TASK_ID_PATTERN.test(taskId)) return taskId;
  throw usageError(
    `"${text}" is not a task id.`,
    'swarm tasks lists the ids; they look like 0190d3f4-7c1e-7a3b-9c55-2f6f0e6a1b2c.',
  );
}
