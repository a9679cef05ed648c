/** `swarm reasoning ls|show|explain|items|agents|reset`: what the coordinator has learnt; and to forget it. */
import type { ReasoningQuery, SwarmClient } from '@quic-swarm/client';
import type { CommandContext } from '../command-line/context.ts';
import { TASK_ID_PATTERN } from '../command-line/names.ts';
import type { Command } from '../command-line/specification.ts';
import type { Values } from '../command-line/values.ts';
import { CommandError, usageError } from '../output/command-error.ts';
import { EXIT } from '../output/exit-codes.ts';
import { toJson } from '../output/json.ts';
import { readSessionOptions, withSwarm } from '../session/client-session.ts';
import { parseTaskId } from '../session/task-id.ts';
import { parseTaskType } from '../session/task-type.ts';
import {
  armLines,
  explanationLines,
  itemLines,
  reasoningAgentLines,
  sortedArms,
  typeLines,
} from './reasoning-lines.ts';

/** `swarm reasoning ls`. */
export const reasoningListCommand: Command = {
  async run(values, context) {
    const types = await asked(values, context, (swarm) => swarm.reasoning('types'));
    return told(context, { types }, () => typeLines(types));
  },
};

/** `swarm reasoning show`. */
export const reasoningShowCommand: Command = {
  async run(values, context) {
    const taskType = parseTaskType(
      values.requiredText('TYPE', 'swarm reasoning show PatternMatch'),
    );
    const { arms, types } = await asked(values, context, async (swarm) => ({
      arms: await swarm.reasoning('arms', { taskType }),
      types: await swarm.reasoning('types'),
    }));
    const type = types.find((row) => row.taskType === taskType);
    if (type === undefined || arms.length === 0) throw nothingLearnt(taskType);
    return told(context, { type, arms: sortedArms(arms) }, () => armLines(type, arms));
  },
};

/** `swarm reasoning explain`. */
export const reasoningExplainCommand: Command = {
  async run(values, context) {
    const query = parseExplainQuery(values);
    const explanation = await asked(values, context, (swarm) => swarm.reasoning('explain', query));
    return told(context, { explanation }, () => explanationLines(explanation));
  },
};

/** `swarm reasoning items`. */
export const reasoningItemsCommand: Command = {
  async run(values, context) {
    const query = parseOptionalType(values);
    const items = await asked(values, context, (swarm) => swarm.reasoning('items', query));
    return told(context, { items }, () => itemLines(items, context.terminal));
  },
};

/** `swarm reasoning agents`. */
export const reasoningAgentsCommand: Command = {
  async run(values, context) {
    const query = parseOptionalType(values);
    const agents = await asked(values, context, (swarm) => swarm.reasoning('agents', query));
    return told(context, { agents }, () => reasoningAgentLines(agents));
  },
};

/** `swarm reasoning reset`. */
export const reasoningResetCommand: Command = {
  async run(values, context) {
    const { taskType } = parseResetQuery(values);
    await asked(values, context, (swarm) => swarm.resetReasoning({ taskType }));
    return told(context, { reset: taskType ?? 'all' }, () => [
      taskType === undefined ? 'All is forgotten.' : `${taskType}: all is forgotten.`,
    ]);
  },
};

/** `WHAT`: a task or a task type. @throws BAD_OPTION */
export function parseExplainQuery(values: Values): ReasoningQuery {
  const what = values.requiredText('WHAT', 'swarm reasoning explain PatternMatch');
  if (TASK_ID_PATTERN.test(what.toLowerCase())) return { taskId: parseTaskId(what) };
  return { taskType: parseTaskType(what) };
}

/** `TYPE`, which may be absent. @throws BAD_OPTION */
export function parseOptionalType(values: Values): { readonly taskType?: string } {
  const text = values.text('TYPE');
  return text === undefined ? {} : { taskType: parseTaskType(text) };
}

/** The same, of an order that cannot be taken back. @throws BAD_OPTION */
export function parseResetQuery(values: Values): { readonly taskType?: string } {
  const query = parseOptionalType(values);
  if (values.isOn('yes')) return query;
  const { taskType } = query;
  const [about, word] = taskType === undefined ? ['', ''] : [` about ${taskType}`, `${taskType} `];
  throw usageError(
    `This forgets everything that was learnt${about}.`,
    `Keep it:  swarm reasoning export FILE\nReally:  swarm reasoning reset ${word}--yes`,
  );
}

async function asked<T>(
  values: Values,
  context: CommandContext,
  ask: (swarm: SwarmClient) => Promise<T>,
): Promise<T> {
  const options = await readSessionOptions(values, context);
  return withSwarm(context, options, (swarm) => context.interruption.orInterrupted(ask(swarm)));
}

function told(
  { terminal, json }: CommandContext,
  result: object,
  lines: () => readonly string[],
): typeof EXIT.ok {
  if (json) terminal.printJson(toJson(result));
  else for (const line of lines()) terminal.print(line);
  return EXIT.ok;
}

function nothingLearnt(taskType: string): CommandError {
  return new CommandError('EXPERIENCE_NOT_FOUND', `Nothing is known about ${taskType}.`, {
    hint:
      'swarm reasoning ls lists the task types about which something is.\n' +
      'A type is there when an agent is connected that offers parameters of it for tuning.',
  });
}
