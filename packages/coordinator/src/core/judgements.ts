/**
 * Judgements by `reasoning` agents. The bank keeps its evidence up to date case by case; before agents are told to try an
 * arm, one of them weighs the raw experiences of the two arms afresh, as a task like any other (ReasoningJudge). It runs
 * beside the trial: when it finds that the arm is worse, the trial is taken back.
 */
import {
  decodeResult,
  encodeDocument,
  type ReasoningExperience,
  type Verdict,
} from '@quic-swarm/protocol';
import { armIdOf, type AdaptationDecision } from '@quic-swarm/reasoning';
import { shardIdOf } from './shard-plan.ts';
import type { CoreState } from './state.ts';
import { countPending, enqueue } from './task-flow.ts';
import { createTask, needsOf, termsOf } from './task-making.ts';
import type { Task } from './task.ts';

/** As many as the input of a judgement may have; the latest count. */
const EXPERIENCES_MAX = 2000;

/** Who it was that wanted the judgement. */
const ITSELF = { connectionId: '', clientName: 'coordinator' };

/** Parts, copies and shadows have other numbers. */
const JUDGEMENT_INDEX = -3;

/** Has an arm judged that is about to be tried, if there is an agent for that. */
export function askForJudgement(core: CoreState, { taskType, from, to }: AdaptationDecision): void {
  const arms = [armIdOf(to), armIdOf(from)] as const;
  const experiences = core.bank.experiences
    .experiences(taskType)
    .filter((each) => each.resolvedAtStep !== undefined && arms.includes(each.armId))
    .slice(-EXPERIENCES_MAX);
  const [first] = experiences;
  if (first === undefined) return;
  const [candidateArmId, incumbentArmId] = arms;
  const submission = {
    requestId: 0,
    taskId: idOf(core, first),
    taskType: 'ReasoningJudge',
    datasets: [],
    watch: 'none' as const,
    payload: encodeDocument({ taskType, candidateArmId, incumbentArmId, experiences }),
  };
  const needs = core.queue.shared(needsOf(submission));
  if (!core.queue.isServed(needs)) return;
  const shared = { needs, terms: termsOf(submission, core.terms), submitter: ITSELF };
  const task = createTask(submission, shared, core.nextOrder(), core.nowMs);
  core.tasks.add(task);
  core.judgements.set(task.taskId, taskType);
  countPending(core, task, 1);
  core.effects.push({ type: 'TaskAccepted', taskId: task.taskId, taskType: 'ReasoningJudge' });
  enqueue(core, task);
}

/** A judgement has ended: the verdict, when it is that the arm should not be used; undefined otherwise. */
export function takeJudgement(
  core: CoreState,
  task: Task,
): { readonly taskType: string; readonly verdict: Verdict } | undefined {
  const taskType = core.judgements.get(task.taskId);
  core.judgements.delete(task.taskId);
  // A verdict is so short that no agent compresses it.
  if (taskType === undefined || task.result === undefined || task.resultEncoding !== undefined) {
    return undefined;
  }
  try {
    const verdict = decodeResult('ReasoningJudge', task.result);
    return verdict.decision === 'rollback' ? { taskType, verdict } : undefined;
  } catch {
    // What is no verdict says nothing, whoever sent it.
    return undefined;
  }
}

function idOf(core: CoreState, { taskId }: ReasoningExperience): string {
  for (let salt = 0; ; salt += 1) {
    const id = shardIdOf(taskId, JUDGEMENT_INDEX, salt);
    if (core.tasks.get(id) === undefined) return id;
  }
}
