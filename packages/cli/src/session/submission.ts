/**
 * One task from its submission to the line on the screen: submit, wait (or not), draw progress, and on Ctrl-C cancel
 * it before leaving. Every `swarm submit …` goes through here, and `swarm result` from the waiting on, so that they
 * behave alike.
 */
import type { SubmitOptions, SwarmClient, TaskHandle, TaskOutcome } from '@quic-swarm/client';
import type { CommandContext } from '../command-line/context.ts';
import { AGENT_TYPE_OF_TASK } from '../command-line/names.ts';
import type { Values } from '../command-line/values.ts';
import { CommandError } from '../output/command-error.ts';
import { EXIT, exitCodeOf, exitCodeOfState, type ExitCode } from '../output/exit-codes.ts';
import { failureLines, reportedErrorOf } from '../output/failure-report.ts';
import { toJson } from '../output/json.ts';
import { ProgressBar } from '../output/progress-bar.ts';
import { formatDuration } from '../command-line/duration.ts';
import { DEFAULT_ADDRESS } from '../specifications/shared.ts';
import { readSessionOptions, withSwarm, type SessionOptions } from './client-session.ts';
import { readTaskTerms } from './task-terms.ts';

/** What every submission has. */
export interface SubmissionOptions {
  readonly session: SessionOptions;
  readonly wait: boolean;
  readonly terms: SubmitOptions;
}

/** How the result of a task is told. */
export interface ResultView {
  /** As JSON has it. */
  json(result: unknown): unknown;
  /** As a person reads it. */
  lines(result: unknown): readonly string[];
}

/** A task whose end is awaited. */
export interface AwaitedTask extends ResultView {
  readonly taskType: string;
  /** What Ctrl-C does to it: who only asks for a result leaves the task alone. @default cancel */
  readonly whenInterrupted?: 'cancel' | 'leave';
  /** What else the result is for, for example a picture in a file. */
  keep?(result: unknown): Promise<void>;
}

/** What differs from one kind of task to the next. */
export interface Submission extends AwaitedTask {
  /** Uploads what is large and gives the task's input. */
  prepare(swarm: SwarmClient): Promise<unknown>;
  /** Into how many parts it is split. */
  readonly shards?: 'auto' | number | undefined;
}

/** How long a task may wait before the person is told why. */
const PENDING_NOTICE_MS = 1000;

/** How long to wait for the end of a task that was cancelled. */
const CANCEL_PATIENCE_MS = 3000;

/** Reads the options of every submission. @throws BAD_OPTION */
export async function readSubmissionOptions(
  values: Values,
  context: CommandContext,
): Promise<SubmissionOptions> {
  return {
    wait: values.isOn('wait'),
    terms: readTaskTerms(values),
    session: await readSessionOptions(values, context),
  };
}

/** Submits, waits and prints. */
export async function submitAndReport(
  context: CommandContext,
  options: SubmissionOptions,
  submission: Submission,
): Promise<ExitCode> {
  return withSwarm(context, options.session, async (swarm) => {
    const { interruption } = context;
    const input = await interruption.orInterrupted(submission.prepare(swarm));
    const { terms, wait } = options;
    const { shards } = submission;
    const watch = wait ? 'all' : 'none';
    const handle = await swarm.submit(submission.taskType, input, { ...terms, watch, shards });
    if (wait) return awaitAndReport(context, handle, submission);
    const { terminal, json } = context;
    if (json) {
      terminal.printJson(toJson({ taskId: handle.id, state: handle.state }));
    } else {
      terminal.print(handle.id);
      terminal.note(`Its result:  ${resultCommand(handle.id, options.session)}`);
    }
    return EXIT.ok;
  });
}

/** What to type for the result of a task. */
function resultCommand(taskId: string, { address }: SessionOptions): string {
  return `swarm result ${taskId}${address === DEFAULT_ADDRESS ? '' : ` --address ${address}`}`;
}

/** Waits for the end of a task, and prints it. */
export async function awaitAndReport(
  context: CommandContext,
  handle: TaskHandle,
  task: AwaitedTask,
): Promise<ExitCode> {
  const { interruption } = context;
  const outcome = await followed(context, handle, task);
  if (outcome === undefined) return interruption.exitCode ?? EXIT.temporary;
  report(context, outcome, task);
  if (outcome.state === 'succeeded') await task.keep?.(outcome.result);
  return interruption.exitCode ?? exitCodeOfOutcome(outcome);
}

/** Waits for the end; undefined when an interrupted task did not end in time, or was left alone. */
async function followed(
  context: CommandContext,
  handle: TaskHandle,
  { taskType, whenInterrupted = 'cancel' }: Pick<AwaitedTask, 'taskType' | 'whenInterrupted'>,
): Promise<TaskOutcome | undefined> {
  const { interruption, terminal } = context;
  const bar = new ProgressBar(terminal, taskType);
  void drawProgress(handle, bar);
  const notice = setTimeout(() => {
    const { state, pendingReason } = handle;
    if (state === 'waiting') terminal.note(`Waiting: ${WAITING_TEXT}`);
    else if (pendingReason !== undefined) {
      terminal.note(`Waiting: ${pendingText(pendingReason, taskType)}`);
    }
  }, PENDING_NOTICE_MS);
  try {
    const outcome = handle.outcome();
    const first = await Promise.race([outcome, interruption.whenInterrupted]);
    if (first !== 'interrupted') return first;
    if (whenInterrupted === 'leave') {
      terminal.note(`Task ${handle.id} goes on; swarm cancel ${handle.id} stops it.`);
      return undefined;
    }
    terminal.note(`Cancelling task ${handle.id} …`);
    await handle.cancel('The command that waited for it was interrupted.');
    return await Promise.race([outcome, after(CANCEL_PATIENCE_MS)]);
  } finally {
    clearTimeout(notice);
    bar.stop();
  }
}

async function drawProgress(handle: TaskHandle, bar: ProgressBar): Promise<void> {
  try {
    for await (const { fraction, text } of handle.progress()) bar.update(fraction, text);
  } catch {
    // How the task ended is told by its outcome.
  }
}

const WAITING_TEXT =
  'its time has not come, or a task that it comes after has not ended; swarm tasks says for how many it waits.';

/** A pending reason in words, with what to do about it. */
export function pendingText(reason: string, taskType: string): string {
  const agentType = Object.entries(AGENT_TYPE_OF_TASK).find(([name]) => name === taskType)?.[1];
  const start =
    agentType === undefined
      ? 'agent ADDR ID compute --handlers FILE'
      : `agent ADDR ID ${agentType}`;
  const texts: Readonly<Record<string, string>> = {
    NO_AGENT_OF_TYPE: `no agent for ${taskType} is connected (${reason}). Start one: ${start}`,
    NO_CAPABILITY_MATCH: `no connected agent has a handler for ${taskType} and the labels asked for (${reason}); swarm agents shows who is there, --timeout bounds the wait.`,
    NO_FREE_SLOT: `all agents that can do it are busy (${reason}).`,
    BACKOFF: `an attempt failed; the next one comes soon (${reason}).`,
    AGENT_MAY_RETURN: `the coordinator was restarted, and the agent that has the task may come back with it; otherwise it runs elsewhere in a few seconds (${reason}).`,
  };
  return texts[reason] ?? reason;
}

function report({ terminal, json }: CommandContext, outcome: TaskOutcome, task: AwaitedTask): void {
  const { taskId, state, agentId, attempt, queueMs, computeMs, totalMs } = outcome;
  const error = outcome.error === undefined ? undefined : reportedErrorOf(outcome.error);
  const hasResult = state === 'succeeded';
  if (json) {
    const result = hasResult ? { result: task.json(outcome.result) } : {};
    const failed = error === undefined ? {} : { error };
    const timing = { attempt, queueMs, computeMs, totalMs };
    terminal.printJson(toJson({ taskId, state, agentId, ...result, ...failed, ...timing }));
  }
  if (!hasResult) {
    const message = error?.message ?? 'no reason was given';
    const hint = error?.hint === undefined ? {} : { hint: error.hint };
    const told = new CommandError('TASK_FAILED', `Task ${taskId} ${state}: ${message}`, hint);
    for (const line of failureLines(told, terminal)) terminal.note(line);
    return;
  }
  if (json) return;
  for (const line of task.lines(outcome.result)) terminal.print(line);
  terminal.note(
    terminal.paintNote(
      'dim',
      `${task.taskType}${agentId === undefined ? '' : ` on ${agentId}`}: ${formatDuration(totalMs)} in all, ${formatDuration(computeMs)} of it compute · task ${taskId}`,
    ),
  );
}

/** A task that ran and failed is 1, whatever failed in it; errors of the way to it keep their own code. */
function exitCodeOfOutcome({ state, error }: TaskOutcome): ExitCode {
  if (state !== 'failed' || error === undefined) return exitCodeOfState(state);
  const code = exitCodeOf(error);
  return code === EXIT.unavailable || code === EXIT.temporary ? code : EXIT.failed;
}

async function after(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => {
      resolve(undefined);
    }, milliseconds).unref();
  });
}
