/** `swarm deadletter ls|replay|drop`: tasks that failed for good after all their tries. */
import type { SwarmClient } from '@quic-swarm/client';
import type { TaskRow } from '@quic-swarm/protocol';
import type { CommandContext } from '../command-line/context.ts';
import { formatDuration } from '../command-line/duration.ts';
import type { Command } from '../command-line/specification.ts';
import type { Values } from '../command-line/values.ts';
import { usageError } from '../output/command-error.ts';
import { EXIT, exitCodeOf, type ExitCode } from '../output/exit-codes.ts';
import { failureLines, reportedErrorOf, type ReportedError } from '../output/failure-report.ts';
import { toJson } from '../output/json.ts';
import { tableLines } from '../output/table.ts';
import { readSessionOptions, withSwarm } from '../session/client-session.ts';
import { parseTaskId } from '../session/task-id.ts';

/** The most rows that the coordinator sends at once. */
const ROWS_MAX = 1000;

/** So many are replayed or dropped at once: a coordinator writes what comes together to its disk together. */
const AT_ONCE = 64;

/** `swarm deadletter ls`. */
export const deadLettersListCommand: Command = {
  async run(values, context) {
    const limit = values.integer('limit', { min: 1, max: ROWS_MAX }) ?? 50;
    const options = await readSessionOptions(values, context);
    const { terminal, json, interruption } = context;
    const { rows, rowsInAll } = await withSwarm(context, options, (swarm) =>
      interruption.orInterrupted(swarm.deadLetters({ limit })),
    );
    if (json) {
      terminal.printJson(toJson({ deadLetters: rows, rowsInAll }));
      return EXIT.ok;
    }
    for (const line of deadLetterLines(rows, Date.now())) terminal.print(line);
    if (rows.length < rowsInAll) {
      terminal.note(`These are the newest ${rows.length} of ${rowsInAll}; --limit N shows more.`);
    }
    return EXIT.ok;
  },
};

/** `swarm deadletter replay`. */
export const deadLettersReplayCommand: Command = {
  async run(values, context) {
    const wanted = parseDeadLetterIds(values, 'replay');
    const { terminal, json } = context;
    return withEach(values, context, wanted, {
      act: async (swarm, taskId) => {
        const { id, state } = await swarm.replayDeadLetter(taskId, { watch: 'none' });
        if (!json) terminal.print(id);
        return { taskId, newTaskId: id, state };
      },
      done: 'replayed',
    });
  },
};

/** `swarm deadletter drop`. */
export const deadLettersDropCommand: Command = {
  async run(values, context) {
    const wanted = parseDeadLetterIds(values, 'drop');
    return withEach(values, context, wanted, {
      act: async (swarm, taskId) => {
        await swarm.dropDeadLetter(taskId);
        return { taskId };
      },
      done: 'dropped',
    });
  },
};

/** Which ones: ids, each once, or all. @throws BAD_OPTION */
export function parseDeadLetterIds(values: Values, action: string): readonly string[] | 'all' {
  const taskIds = [...new Set(values.texts('TASKID').map(parseTaskId))];
  const isAll = values.isOn('all');
  if (isAll && taskIds.length > 0) {
    throw usageError('TASKID and --all exclude each other.', 'Give ids, or --all.');
  }
  if (isAll) return 'all';
  if (taskIds.length > 0) return taskIds;
  throw usageError(
    'Which dead letters?',
    `swarm deadletter ls lists them. Then:  swarm deadletter ${action} TASKID, or --all`,
  );
}

/** The table for a person. */
export function deadLetterLines(rows: readonly TaskRow[], nowMs: number): string[] {
  if (rows.length === 0) return ['No dead letters.'];
  return tableLines<TaskRow>(
    [
      { title: 'task', text: (row) => row.taskId },
      { title: 'type', text: (row) => row.taskType },
      { title: 'age', align: 'right', text: ({ taskId }) => ageText(taskId, nowMs) },
      { title: 'attempts', align: 'right', text: (row) => String(row.attempt) },
      { title: 'durable', text: (row) => (row.durable ? 'yes' : 'no') },
      { title: 'why', text: whyOf },
    ],
    rows,
  );
}

/** Since its submission, which the first twelve digits of its id say (RFC 9562 §5.7). The row has only how long the task
 *  took until it was given up. */
function ageText(taskId: string, nowMs: number): string {
  if (taskId[14] !== '7') return '-';
  const submittedAtMs = Number.parseInt(taskId.replaceAll('-', '').slice(0, 12), 16);
  return formatDuration(Math.max(0, nowMs - submittedAtMs));
}

function whyOf({ failure, state }: TaskRow): string {
  return failure === undefined ? state : `${failure.type}: ${failure.message.slice(0, 80)}`;
}

interface Treatment<Done> {
  readonly act: (swarm: SwarmClient, taskId: string) => Promise<Done>;
  /** What was done to them. */
  readonly done: 'replayed' | 'dropped';
}

interface Refused {
  readonly taskId: string;
  readonly error: ReportedError;
}

/** Treats each, and reports those that could not be. One alone fails like any other command. */
async function withEach<Done>(
  values: Values,
  context: CommandContext,
  wanted: readonly string[] | 'all',
  { act, done }: Treatment<Done>,
): Promise<ExitCode> {
  const options = await readSessionOptions(values, context);
  const { terminal, json, interruption } = context;
  const isAlone = wanted !== 'all' && wanted.length === 1;
  return withSwarm(context, options, async (swarm) => {
    const treated: Done[] = [];
    const refused: Refused[] = [];
    for await (const taskIds of groupsOf(swarm, context, wanted)) {
      const group = Promise.allSettled(taskIds.map(async (taskId) => act(swarm, taskId)));
      const ends = await interruption.orInterrupted(group);
      for (const [index, end] of ends.entries()) {
        if (end.status === 'fulfilled') treated.push(end.value);
        else if (isAlone) throw end.reason;
        else refused.push({ taskId: taskIds[index] ?? '', error: reportedErrorOf(end.reason) });
      }
    }
    for (const { error } of refused) {
      for (const line of failureLines(error, terminal)) terminal.note(line);
    }
    if (json) {
      terminal.printJson(toJson({ [done]: treated, ...(refused.length > 0 ? { refused } : {}) }));
    } else {
      terminal.note(`${treated.length} dead letter${treated.length === 1 ? '' : 's'} ${done}.`);
    }
    const [first] = refused;
    return first === undefined ? EXIT.ok : exitCodeOf(first.error);
  });
}

/** Those wanted, as many together as are treated at once. Of all that there are each comes once, and none that a replay has
 *  become meanwhile. */
async function* groupsOf(
  swarm: SwarmClient,
  { interruption }: CommandContext,
  wanted: readonly string[] | 'all',
): AsyncGenerator<readonly string[], void, undefined> {
  const seen = new Set<string>();
  for (;;) {
    let taskIds = wanted;
    if (taskIds === 'all') {
      const { rows } = await interruption.orInterrupted(swarm.deadLetters({ limit: ROWS_MAX }));
      taskIds = rows
        .filter(({ taskId, replayOf = '' }) => !seen.has(taskId) && !seen.has(replayOf))
        .map(({ taskId }) => taskId);
    }
    for (let from = 0; from < taskIds.length; from += AT_ONCE) {
      yield taskIds.slice(from, from + AT_ONCE);
    }
    if (wanted !== 'all' || taskIds.length === 0) return;
    for (const taskId of taskIds) seen.add(taskId);
  }
}
