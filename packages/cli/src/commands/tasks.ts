/** `swarm tasks`: what waits and why, what runs, what ended and how. */
import type { TaskRow, TaskState } from '@quic-swarm/protocol';
import { formatDuration } from '../command-line/duration.ts';
import type { Command } from '../command-line/specification.ts';
import { suggest } from '../command-line/suggestion.ts';
import type { Values } from '../command-line/values.ts';
import { usageError } from '../output/command-error.ts';
import { EXIT } from '../output/exit-codes.ts';
import { toJson } from '../output/json.ts';
import { tableLines } from '../output/table.ts';
import { readSessionOptions, withSwarm } from '../session/client-session.ts';

/** The states in the order of the table: what needs somebody's eye comes first. */
const STATES: readonly TaskState[] = [
  'failed',
  'timed_out',
  'queued',
  'waiting',
  'dispatched',
  'running',
  'cancelled',
  'succeeded',
];

/** Which rows. */
export interface TaskQueryOptions {
  readonly states: readonly TaskState[] | undefined;
  readonly limit: number;
}

/** Reads the options. @throws BAD_OPTION */
export function parseTaskQuery(values: Values): TaskQueryOptions {
  const states = values.list('state')?.map((word) => {
    const state = STATES.find((candidate) => candidate === word);
    if (state !== undefined) return state;
    throw usageError(`--state cannot be "${word}".`, suggest(word, STATES));
  });
  return { states, limit: values.integer('limit', { min: 1, max: 1000 }) ?? 50 };
}

/** The command. */
export const tasksCommand: Command = {
  async run(values, context) {
    const { states, limit } = parseTaskQuery(values);
    const options = await readSessionOptions(values, context);
    const { terminal, json, interruption } = context;
    const query = { limit, ...(states === undefined ? {} : { states }) };
    const tasks = await withSwarm(context, options, (swarm) =>
      interruption.orInterrupted(swarm.tasks(query)),
    );
    const sorted = sortedTasks(tasks);
    if (json) terminal.printJson(toJson({ tasks: sorted }));
    else for (const line of taskLines(sorted)) terminal.print(line);
    return EXIT.ok;
  },
};

/** By state; the parts of a task stay behind it. */
export function sortedTasks(tasks: readonly TaskRow[]): TaskRow[] {
  const states = new Map(tasks.map(({ taskId, state }) => [taskId, state]));
  const rankOf = ({ state, shard }: TaskRow): number =>
    STATES.indexOf(states.get(shard?.of ?? '') ?? state);
  return [...tasks].sort((a, b) => rankOf(a) - rankOf(b));
}

/** The table for a person. */
export function taskLines(tasks: readonly TaskRow[]): string[] {
  if (tasks.length === 0) return ['No task. Submit one:  swarm submit pattern --help'];
  const right = 'right' as const;
  return tableLines<TaskRow>(
    [
      { title: 'task', text: (row) => row.taskId },
      { title: 'type', text: typeOf },
      { title: 'state', text: (row) => row.state },
      { title: 'durable', text: (row) => (row.durable ? 'yes' : 'no') },
      { title: 'agent', text: (row) => row.agentId ?? '-' },
      { title: 'attempt', align: right, text: (row) => String(row.attempt) },
      { title: 'age', align: right, text: (row) => formatDuration(row.ageMs) },
      { title: 'why', text: whyOf },
    ],
    tasks,
  );
}

/** A part of a task says which one it is; its type is that of the row above. */
function typeOf({ taskType, shard }: TaskRow): string {
  return shard === undefined ? taskType : `  shard ${shard.index + 1} of ${shard.count}`;
}

/** Why a task is where it is, as far as that is not obvious. */
function whyOf(row: TaskRow): string {
  const { state, pendingReason, candidates, failure, cancelRequested, fraction, shards } = row;
  const { deadLettered, waitsFor = 0 } = row;
  if (failure !== undefined) {
    const text = `${failure.type}: ${failure.message.slice(0, 80)}`;
    return deadLettered ? `dead letter, ${text}` : text;
  }
  if (cancelRequested && state !== 'cancelled') return 'cancellation asked for';
  if (pendingReason !== undefined) {
    const { connected, ofType, capable, free } = candidates ?? {};
    const counts =
      candidates === undefined
        ? ''
        : ` (agents: ${connected} connected, ${ofType} of the type, ${capable} able, ${free} free)`;
    return pendingReason + counts;
  }
  if (state === 'waiting') {
    return waitsFor === 0
      ? 'waits for its time'
      : `waits for ${waitsFor} task${waitsFor === 1 ? '' : 's'}`;
  }
  const done = state === 'running' ? `${Math.round((fraction ?? 0) * 100)} %` : '';
  if (shards === undefined) return done;
  const { count, succeeded, attempts } = shards;
  const parts = `${succeeded} of ${count} shards done in ${attempts} attempts`;
  return done === '' ? parts : `${done}, ${parts}`;
}
