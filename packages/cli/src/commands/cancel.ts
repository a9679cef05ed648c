/** `swarm cancel TASKID`. */
import type { Command } from '../command-line/specification.ts';
import { EXIT } from '../output/exit-codes.ts';
import { toJson } from '../output/json.ts';
import { readSessionOptions, withSwarm } from '../session/client-session.ts';
import { parseTaskId } from '../session/task-id.ts';

/** The command. */
export const cancelCommand: Command = {
  async run(values, context) {
    const taskId = parseTaskId(values.requiredText('TASKID', 'swarm tasks lists the ids'));
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
