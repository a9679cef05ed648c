/**
 * What is learnt from tasks: which parameters of their handlers, which *arm*, are good. A task that was submitted with
 * `learn` is given an arm by the bank (arms.ts). When it has succeeded, what was forecast becomes an experience; when its
 * submitter says how it turned out, the bank learns, and may want agents to use another arm from then on.
 *
 * While agents have nothing else to do, the task is computed once more with another arm, a *shadow*: what both forecast is
 * then compared for the same case. Shadows run at `reasoning` agents where there are some, so that they do not even stand
 * in line with real work.
 */
import {
  AGENT_TYPE_OF_TASK,
  failure,
  isBuiltInTaskType,
  type AgentType,
  type AdaptationAck,
  type AdaptationSuggestion,
  type ControlReasoning,
  type ReasoningExperience,
  type TaskOutcome,
  type TunableOffer,
} from '@quic-swarm/protocol';
import { armIdOf, type AdaptationDecision, type ArmChoice } from '@quic-swarm/reasoning';
import type { Agent } from './agent-record.ts';
import { claimDatasets } from './datasets.ts';
import { askForJudgement, takeJudgement } from './judgements.ts';
import { shardIdOf } from './shard-plan.ts';
import type { Client, CoreState } from './state.ts';
import { abandon, countPending, enqueue } from './task-flow.ts';
import { createShadow } from './task-making.ts';
import { submittedOf, type FinishedAttempt, type Task } from './task.ts';

/** Shadows that wait or run: they are worth less than the memory of many. */
const SHADOWS_MAX = 256;

/** Longer inputs are not kept for a shadow: 256 of these are a quarter of a gigabyte. What is long is in data sets. */
const SHADOW_INPUT_BYTES_MAX = 1024 * 1024;

/** No part of a task has this number, nor has its second copy. */
const SHADOW_INDEX = -2;

/** Of the tasks, when an arm is tried for the first time. */
const FIRST_CANARY_PERCENT = 10;

/** Agents come back sooner than that, and are told again. */
const SUGGESTION_TTL_MS = 24 * 3_600_000;

/** Does what follows from attempts that named their arm, and forgets shadows that have ended. */
export function followLearning(core: CoreState): void {
  for (let news = core.learningNews.shift(); news !== undefined; news = core.learningNews.shift()) {
    const { alternatives = [] } = news.completion;
    const choice = news.task.learning?.choice;
    const actions = core.bank.record(experienceOf(core, news), alternatives, choice);
    for (const action of actions) adapt(core, action);
    shadow(core, news);
  }
  for (let task = core.endedShadows.shift(); task !== undefined; task = core.endedShadows.shift()) {
    core.shadows.delete(task);
    core.tasks.delete(task);
  }
  for (let task = core.endedJudgements.shift(); task; task = core.endedJudgements.shift()) {
    const { taskType, verdict } = takeJudgement(core, task) ?? {};
    if (taskType === undefined || verdict === undefined) continue;
    const reason = `agent ${task.agentId} has judged: ${verdict.explanation}`;
    for (const action of core.bank.withdraw(taskType, reason)) adapt(core, action);
  }
}

function experienceOf(core: CoreState, news: FinishedAttempt): ReasoningExperience {
  const { task, agentId, agentType, completion } = news;
  const { learning } = task;
  const repeated = learning?.shadowOf;
  const { arm = {}, predicted, computeMs } = completion;
  const own = repeated === undefined ? submittedOf(task) : task;
  const experience: ReasoningExperience = {
    experienceId: own.taskId,
    taskId: own.taskId,
    agentId,
    agentType,
    taskType: task.needs.taskType,
    context: learning?.context ?? new Float64Array(0),
    contextVersion: 0,
    arm,
    armId: armIdOf(arm),
    propensity: learning?.choice?.propensity ?? 1,
    latencyMs: Math.max(0, core.nowMs - own.acceptedAtMs),
    computeMs,
    issuedAtStep: learning?.step ?? own.order,
  };
  if (predicted !== undefined) experience.predicted = predicted;
  if (learning?.seriesId !== undefined) experience.seriesId = learning.seriesId;
  if (repeated !== undefined) experience.shadowOf = repeated.taskId;
  return experience;
}

/** Has a task computed once more with the arm that is most worth knowing about. */
function shadow(core: CoreState, news: FinishedAttempt): void {
  const { task, completion } = news;
  const { learning, needs } = task;
  if (learning?.shadowOf !== undefined || learning?.wantsShadow === false) return;
  if (!task.terms.idempotent || core.draining) return;
  if ((news.input?.length ?? 0) > SHADOW_INPUT_BYTES_MAX) return;
  if (core.shadows.size >= SHADOWS_MAX || core.pendingTasks >= core.options.pendingTasksMax) return;
  const choice = core.bank.shadowOf(
    needs.taskType,
    armIdOf(completion.arm ?? {}),
    learning?.choice,
  );
  if (choice !== undefined) enqueueShadow(core, news, choice);
}

function enqueueShadow(core: CoreState, news: FinishedAttempt, choice: ArmChoice): void {
  const repeated = submittedOf(news.task);
  const { taskType } = repeated.needs;
  const elsewhere = core.queue.shared({
    taskType,
    agentType: 'reasoning',
    labels: undefined,
    mayGoAhead: false,
  });
  const needs = core.queue.isServed(elsewhere)
    ? elsewhere
    : core.queue.shared({ ...repeated.needs, mayGoAhead: false });
  const input = { bytes: news.input, encoding: news.inputEncoding };
  const role = { needs, choice, input };
  const task = createShadow(repeated, role, idOf(core, repeated), core.nextOrder(), core.nowMs);
  core.shadows.add(task);
  core.tasks.add(task);
  countPending(core, task, 1);
  claimDatasets(core, task.datasets);
  enqueue(core, task);
}

function idOf(core: CoreState, { taskId }: Task): string {
  for (let salt = 0; ; salt += 1) {
    const id = shardIdOf(taskId, SHADOW_INDEX, salt);
    if (core.tasks.get(id) === undefined) return id;
  }
}

/** Nobody is to wait for what only serves to learn. */
export function dropShadows(core: CoreState): void {
  for (const task of core.shadows) abandon(core, task, 'Nothing new is learnt any more.');
}

/** An agent says what there is to choose from. */
export function offerTunables(core: CoreState, agent: Agent, { tunables }: TunableOffer): void {
  const known = new Set<string>();
  for (const tunable of tunables) {
    try {
      core.bank.declare(tunable);
      known.add(tunable.taskType);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      core.effects.push({
        type: 'Refused',
        connectionId: agent.connectionId ?? '',
        failure: failure('BAD_MESSAGE', message),
      });
    }
  }
  agent.tunables = known;
  for (const taskType of known) {
    const decision = core.bank.inForce(taskType);
    if (decision === undefined) continue;
    // A coordinator that was started again has told nobody yet.
    const suggestion = core.suggestions.get(taskType) ?? suggestionOf(core, decision);
    core.suggestions.set(taskType, suggestion);
    suggestTo(core, agent, suggestion);
  }
}

/** A client says how a task turned out. */
export function receiveOutcome(core: CoreState, client: Client, outcome: TaskOutcome): void {
  const { requestId, taskId } = outcome;
  const { result, actions } = core.bank.resolve(taskId, outcome);
  const refusal = result === 'resolved' ? undefined : whyUnresolved(result, outcome);
  if (refusal === undefined) {
    core.send(client.connectionId, 'control', {
      type: 'MessageAck',
      body: { requestId, taskId, status: 'PROCESSED' },
    });
  } else {
    core.refuse(client.connectionId, 'control', requestId, refusal);
  }
  for (const action of actions) adapt(core, action);
}

function whyUnresolved(
  result: 'unknown' | 'duplicate' | 'refused',
  { taskId }: TaskOutcome,
): ReturnType<typeof failure> {
  switch (result) {
    case 'unknown':
      return failure('EXPERIENCE_NOT_FOUND', `Nothing is to be learnt from task ${taskId}.`, {
        hint: 'Submit it with learn (swarm submit … --learn) and tell the outcome when it has succeeded; experiences are kept until some thousand others have come.',
      });
    case 'duplicate':
      return failure('OUTCOME_EXISTS', `How task ${taskId} turned out was told before.`);
    case 'refused':
      return failure('BAD_INPUT', `The outcome of task ${taskId} cannot be.`, {
        hint: 'Give a finite value, a loss of 0 or more, or a utility from 0 to 1, and no step before that of the task. A value alone needs a handler that forecast one.',
      });
  }
}

/** An experience that an agent or a client reports by itself. */
export function receiveExperience(core: CoreState, experience: ReasoningExperience): void {
  for (const action of core.bank.report(experience)) adapt(core, action);
}

/** What was learnt is forgotten, and agents go back to what they did before; answered. Imports are the shell's. */
export function resetReasoning(
  core: CoreState,
  client: Client,
  { requestId, action, taskType }: ControlReasoning,
): void {
  if (action !== 'reset') return;
  core.bank.reset(taskType);
  for (const [known, suggestion] of core.suggestions) {
    if (taskType !== undefined && known !== taskType) continue;
    core.suggestions.delete(known);
    withdraw(core, suggestion);
  }
  core.send(client.connectionId, 'control', {
    type: 'MessageAck',
    body: { requestId, status: 'PROCESSED' },
  });
}

/** Agents go back to what they did before anything was learnt. */
function withdraw(core: CoreState, suggestion: AdaptationSuggestion): void {
  const tunable = core.bank.tunableOf(suggestion.taskType);
  const to = tunable?.arms[0];
  if (to === undefined) return;
  tell(core, {
    ...suggestion,
    ...named(core, suggestion.taskType),
    from: suggestion.to,
    to,
    canaryPercent: 100,
  });
}

/** The bank wants another arm to be used, on a share of the tasks. */
function adapt(core: CoreState, decision: AdaptationDecision): void {
  const { taskType, from, to, canaryPercent, verdict } = decision;
  core.effects.push({
    type: 'ArmSuggested',
    taskType,
    fromArmId: armIdOf(from),
    toArmId: armIdOf(to),
    canaryPercent,
    isRollback: decision.isRollback,
    explanation: verdict.explanation,
  });
  const suggestion = suggestionOf(core, decision);
  core.suggestions.set(taskType, suggestion);
  tell(core, suggestion);
  if (!decision.isRollback && canaryPercent === FIRST_CANARY_PERCENT)
    askForJudgement(core, decision);
}

function suggestionOf(core: CoreState, decision: AdaptationDecision): AdaptationSuggestion {
  const { taskType, from, to, canaryPercent, verdict } = decision;
  return {
    ...named(core, taskType),
    agentType: agentTypeOf(core, taskType),
    taskType,
    from,
    to,
    evidence: verdict,
    canaryPercent,
    expiresInMs: SUGGESTION_TTL_MS,
  };
}

/** Whose task type it is: of a user's own that of the agents which have a handler for it. */
function agentTypeOf(core: CoreState, taskType: string): AgentType {
  if (isBuiltInTaskType(taskType)) return AGENT_TYPE_OF_TASK[taskType];
  for (const { agentType, tunables } of core.agents.values()) {
    if (tunables.has(taskType)) return agentType;
  }
  return 'compute';
}

function named(core: CoreState, taskType: string): { suggestionId: string } {
  core.suggestionsMade += 1;
  return { suggestionId: `${taskType}-${core.options.epoch}-${core.suggestionsMade}` };
}

function tell(core: CoreState, suggestion: AdaptationSuggestion): void {
  for (const agent of core.agents.values()) {
    if (agent.tunables.has(suggestion.taskType)) suggestTo(core, agent, suggestion);
  }
}

function suggestTo(core: CoreState, agent: Agent, suggestion: AdaptationSuggestion): void {
  if (agent.connectionId === undefined) return;
  core.send(agent.connectionId, 'control', { type: 'AdaptationSuggestion', body: suggestion });
}

/** An agent says whether it does what was suggested: where one cannot, what is tried is taken back. */
export function noteAdaptation(core: CoreState, agent: Agent, ack: AdaptationAck): void {
  if (ack.accepted) return;
  for (const [taskType, { suggestionId }] of core.suggestions) {
    if (suggestionId !== ack.suggestionId) continue;
    const reason = `agent ${agent.agentId} does not use it${ack.reason === undefined ? '' : `: ${ack.reason}`}`;
    for (const action of core.bank.withdraw(taskType, reason)) adapt(core, action);
  }
}
