/** `swarm replay FILE`: plays a recording of a coordinator again and tells what happened in it. Needs no coordinator. */
import type { Replay, StoryLine } from '@quic-swarm/coordinator';
import type { CommandContext } from '../command-line/context.ts';
import type { Command } from '../command-line/specification.ts';
import type { Values } from '../command-line/values.ts';
import { CommandError, usageError } from '../output/command-error.ts';
import { EXIT, type ExitCode } from '../output/exit-codes.ts';
import { toJson } from '../output/json.ts';

/** What the command line says. */
interface ReplayOptions {
  readonly file: string;
  readonly taskId: string | undefined;
  readonly untilMs: number;
  readonly all: boolean;
}

/** The command. */
export const replayCommand: Command = {
  async run(values, context) {
    const options = readOptions(values);
    const { Replay, readRecording } = await import('@quic-swarm/coordinator');
    const replay = new Replay();
    let lines = 0;
    for await (const entry of readRecording(options.file)) {
      if (entry.kind === 'event' && isBehind(replay, entry.atMs, options)) break;
      for (const line of replay.play(entry)) {
        if (!isWanted(line, options)) continue;
        lines += 1;
        print(context, line);
      }
    }
    if (replay.core === undefined) {
      throw new CommandError('BAD_INPUT', `${options.file} is empty, or no recording.`, {
        hint: 'Make a recording with: coordinator ADDR --record FILE.',
      });
    }
    return conclude(context, replay, options, lines);
  },
};

function readOptions(values: Values): ReplayOptions {
  const file = values.text('FILE');
  if (file === undefined) throw usageError('Which recording?');
  return {
    file,
    taskId: values.text('task'),
    untilMs: values.durationMs('until') ?? Infinity,
    all: values.isOn('all'),
  };
}

function isBehind(replay: Replay, atMs: number, { untilMs }: ReplayOptions): boolean {
  return replay.sinceStart(atMs) > untilMs;
}

function isWanted({ taskIds, isRoutine }: StoryLine, { taskId, all }: ReplayOptions): boolean {
  if (isRoutine && !all) return false;
  return taskId === undefined || taskIds.includes(taskId);
}

function print({ terminal, json }: CommandContext, { atMs, text, taskIds }: StoryLine): void {
  if (json) terminal.printJson(toJson({ atMs, text, taskIds }));
  else terminal.print(`${(atMs / 1000).toFixed(3).padStart(10)} s  ${text}`);
}

/** How things were at the end, and whether this release decides as the one that recorded. */
function conclude(
  { terminal, json }: CommandContext,
  replay: Replay,
  { taskId }: ReplayOptions,
  lines: number,
): ExitCode {
  const { events, differences } = replay.counts;
  const task = taskId === undefined ? undefined : replay.core?.state.tasks.get(taskId);
  const state = task?.state ?? (lines === 0 ? 'never heard of' : 'forgotten');
  const about = taskId === undefined ? {} : { taskId, state };
  if (json) {
    terminal.printJson(toJson({ event: 'replayed', events, differences, ...about }));
  } else {
    if (taskId !== undefined) terminal.note(`Task ${taskId}: ${state}.`);
    terminal.note(
      differences === 0
        ? `${events} events; every decision was the same as then.`
        : `${events} events; ${differences} times this release decided otherwise than the one that recorded.`,
    );
  }
  return differences === 0 && (taskId === undefined || lines > 0) ? EXIT.ok : EXIT.failed;
}
