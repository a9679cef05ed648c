/** `swarm cancel TASKID`. */
import { TASK_ID_PATTERN } from '../command-line/names.ts';
import type { Command } from '../command-line/specification.ts';
import { usageError } from '../output/command-error.ts';
import { EXIT } from '../output/exit-codes.ts';
import { toJson } from '../output/json.ts';
import { readSessionOptions, withSwarm } from '../session/client-session.ts';

/** The command. */
export const cancelCommand: Command = {
  async run(values, context) {
    const taskId = values.requiredText('TASKID', 'swarm tasks lists the ids').toLowerCase();
    if (!TASK_ID_PATTERN.test(taskId)) {
      throw usageError(
        `"${taskId}" is not a task id.`,
        'swarm tasks lists the ids; they look like 0190d3f4-7c1e-7a3b-9c55-2f6f0e6a1b2c.',
      );
    }
    const options = await readSessionOptions(values, context);
    const { terminal, json, interruption } = context;
    return withSwarm(context, options, async (swarm) => {
      await interruption.orInterrupted(swarm.cancel(taskId));
      const row = await interruption.orInterrupted(swarm.task(taskId));
      const state = row.state;
      if (json) terminal.printJson(toJson({ taskId, cancelRequested: true, state }));
      else terminal.print(`Task ${taskId}: cancellation asked for, now ${state}.`);
      return EXIT.ok;
    });
  },
};
