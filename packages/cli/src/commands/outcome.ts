/** `swarm outcome TASKID`: how a task turned out, for the coordinator to learn from. */
import type { KnownOutcome } from '@quic-swarm/client';
import type { Command } from '../command-line/specification.ts';
import type { Values } from '../command-line/values.ts';
import { usageError } from '../output/command-error.ts';
import { EXIT } from '../output/exit-codes.ts';
import { toJson } from '../output/json.ts';
import { readSessionOptions, withSwarm } from '../session/client-session.ts';
import { parseTaskId } from '../session/task-id.ts';

/** What the command line says. */
export interface OutcomeOptions {
  readonly taskId: string;
  readonly outcome: KnownOutcome;
}

/** Reads the options. @throws BAD_OPTION */
export function parseOutcomeOptions(values: Values): OutcomeOptions {
  const taskId = parseTaskId(values.requiredText('TASKID', 'swarm tasks lists the ids'));
  values.refuseBoth('value', 'loss');
  values.refuseBoth('value', 'utility');
  values.refuseBoth('loss', 'utility');
  const actual = values.number('value');
  const loss = values.number('loss', { min: 0 });
  const utility = values.number('utility', { min: 0, max: 1 });
  if (actual === undefined && loss === undefined && utility === undefined) {
    throw usageError(
      'How did it turn out?',
      'Give --value X, what came of what was forecast; or --loss X; or --utility U from 0 to 1.',
    );
  }
  const step = values.integer('step', { min: 0 });
  return {
    taskId,
    outcome: {
      ...(actual === undefined ? {} : { actual }),
      ...(loss === undefined ? {} : { loss }),
      ...(utility === undefined ? {} : { utility }),
      ...(step === undefined ? {} : { step }),
    },
  };
}

/** The command. */
export const outcomeCommand: Command = {
  async run(values, context) {
    const { taskId, outcome } = parseOutcomeOptions(values);
    const options = await readSessionOptions(values, context);
    const { terminal, json, interruption } = context;
    return withSwarm(context, options, async (swarm) => {
      await interruption.orInterrupted(swarm.outcome(taskId, outcome));
      if (json) terminal.printJson(toJson({ taskId, outcome }));
      else terminal.print(`Task ${taskId}: noted how it turned out.`);
      return EXIT.ok;
    });
  },
};
