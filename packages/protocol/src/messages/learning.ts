/** What the ReasoningBank learns from and what it says. Formulas: docs of the package `reasoning`. */
import { Type, type Static } from 'typebox';
import {
  AgentIdText,
  AgentTypeText,
  Arm,
  Count,
  DatasetIdText,
  DurationMs,
  Float64Values,
  Fraction,
  Name,
  TaskIdText,
  TaskTypeText,
  Text,
  listOf,
  oneOf,
  record,
} from '../schema.ts';
import { TUNABLE_ARMS_MAX } from '../limits.ts';

/** What was forecast: a mean, and where the handler knows them, quantiles or a probability. */
export const Prediction = record({
  mean: Type.Number(),
  q05: Type.Optional(Type.Number()),
  q50: Type.Optional(Type.Number()),
  q95: Type.Optional(Type.Number()),
  probability: Type.Optional(Fraction),
});
export type Prediction = Static<typeof Prediction>;

/** What another arm would have answered: known for nothing, because the computation yielded it anyway. */
export const Alternative = record({ arm: Arm, predicted: Prediction });
export type Alternative = Static<typeof Alternative>;

/** How a forecast and what came of it make a loss: (mean − actual)², |mean − actual|, or (probability − actual)². */
export const LOSSES = ['squared', 'absolute', 'brier'] as const;
export type Loss = (typeof LOSSES)[number];

/** The parameters of a handler that may be tuned: the arms to choose from, the first of which is its own choice. */
export const Tunable = record({
  taskType: TaskTypeText,
  /** All with the same names. */
  arms: Type.Array(Arm, { minItems: 2, maxItems: TUNABLE_ARMS_MAX }),
  /** Parameters whose other values come free: whoever computes an arm has computed all on the way that differ from it in
   *  these alone, and reports them as alternatives. @default none */
  freeParameters: Type.Optional(listOf(Name, 16)),
  loss: oneOf(LOSSES),
});
export type Tunable = Static<typeof Tunable>;

/** Agent → coordinator, when the acknowledgement names the feature `learning`: what its handlers can be told to do in another
 *  way. Replaces what was said before. */
export const TunableOffer = record({ tunables: listOf(Tunable, 64) });
export type TunableOffer = Static<typeof TunableOffer>;

/** A submission that is to be learnt from: the coordinator chooses the arm, and an outcome will be told. */
export const LearnRequest = record({
  /** What is known now and may decide which arm is good; at most 16 numbers. @default none */
  context: Type.Optional(Float64Values),
  /** The series and the position in it, so that outcomes that overlap are told apart. @default the order of acceptance */
  seriesId: Type.Optional(Name),
  step: Type.Optional(Count),
  /** Another arm may be tried on the same task while an agent is idle. @default true */
  shadow: Type.Optional(Type.Boolean()),
});
export type LearnRequest = Static<typeof LearnRequest>;

/**
 * Agent or client → coordinator: one decision and, once it is known, how it turned out. Sent twice with the same
 * experienceId: without `actual` when the task is done (record), with it when the outcome is known (resolve), so
 * that nothing can be learnt from the future.
 */
export const ReasoningExperience = record({
  experienceId: Name,
  taskId: TaskIdText,
  agentId: AgentIdText,
  agentType: AgentTypeText,
  taskType: TaskTypeText,
  /** What was known when the arm was chosen; at most 16 numbers. */
  context: Float64Values,
  contextVersion: Count,
  arm: Arm,
  armId: Name,
  /** The probability with which the policy chose this arm, for off-policy evaluation. */
  propensity: Fraction,
  predicted: Type.Optional(Prediction),
  actual: Type.Optional(Type.Number()),
  /** What the baseline forecast for the same case. */
  baseline: Type.Optional(Type.Number()),
  /** Loss in the units of the task type, lower is better. */
  loss: Type.Optional(Type.Number()),
  /** 1 − min(loss / scale, 1). */
  utility: Type.Optional(Fraction),
  latencyMs: DurationMs,
  computeMs: DurationMs,
  confidence: Type.Optional(Fraction),
  /** Position in the series or step of the session at which it was decided and resolved: logical time, not a clock. */
  issuedAtStep: Count,
  resolvedAtStep: Type.Optional(Count),
  seriesId: Type.Optional(Name),
  /** The experience of which this is a replay with another arm. */
  shadowOf: Type.Optional(Name),
});
export type ReasoningExperience = Static<typeof ReasoningExperience>;

export const VERDICT_DECISIONS = ['insufficient', 'adopt', 'keep', 'rollback', 'drift'] as const;

/** What the evidence says about one arm against another. */
export const Verdict = record({
  taskType: TaskTypeText,
  candidateArmId: Name,
  incumbentArmId: Name,
  decision: oneOf(VERDICT_DECISIONS),
  /** Pairs of experiences compared. */
  pairs: Count,
  /** Mean of utility(candidate) − utility(incumbent), in [−1, 1]; 0 without pairs. */
  meanDifference: Type.Number({ minimum: -1, maximum: 1 }),
  /** A confidence sequence: holds at every moment at once with probability 1 − alpha. */
  lower: Type.Number({ minimum: -1, maximum: 1 }),
  upper: Type.Number({ minimum: -1, maximum: 1 }),
  /** Natural logarithm of the e-process for "the candidate is better". */
  logEvidence: Type.Number(),
  /** The same for "the candidate is worse". */
  logEvidenceAgainst: Type.Number(),
  alpha: Fraction,
  /** Experiences that could not be paired, with the reason in `explanation`. */
  unpaired: Count,
  explanation: Text,
});
export type Verdict = Static<typeof Verdict>;

/** Coordinator → agent: use `to` instead of `from` for this task type. */
export const AdaptationSuggestion = record({
  suggestionId: Name,
  agentType: AgentTypeText,
  taskType: TaskTypeText,
  from: Arm,
  to: Arm,
  evidence: Verdict,
  /** Share of the tasks that use it at first. */
  canaryPercent: Type.Number({ minimum: 0, maximum: 100 }),
  expiresInMs: DurationMs,
});
export type AdaptationSuggestion = Static<typeof AdaptationSuggestion>;

/** Agent → coordinator. */
export const AdaptationAck = record({
  suggestionId: Name,
  accepted: Type.Boolean(),
  reason: Type.Optional(Text),
});
export type AdaptationAck = Static<typeof AdaptationAck>;

/**
 * Client → coordinator: how a task turned out that was submitted with `learn`, or whose handler named the arm that it used.
 * Answered by MessageAck or ErrorReport. One of `actual`, `loss` and `utility` at least.
 */
export const TaskOutcome = record({
  requestId: Count,
  taskId: TaskIdText,
  /** What was forecast, as it came: losses follow from it for all arms whose forecast is known. */
  actual: Type.Optional(Type.Number()),
  /** Of the arm that was used, lower is better. */
  loss: Type.Optional(Type.Number({ minimum: 0 })),
  /** Of the arm that was used, higher is better. */
  utility: Type.Optional(Fraction),
  /** Position in the series at which it became known. @default that of the task */
  step: Type.Optional(Count),
});
export type TaskOutcome = Static<typeof TaskOutcome>;

export const REASONING_VIEWS = ['types', 'arms', 'items', 'agents', 'explain', 'export'] as const;

/** Client → coordinator: what was learnt. Answered by ReasoningReport or ErrorReport. */
export const QueryReasoning = record({
  requestId: Count,
  view: oneOf(REASONING_VIEWS),
  /** Only of this task type; needed for `arms` and, without a task, for `explain`. */
  taskType: Type.Optional(TaskTypeText),
  /** For `explain`: why this task was given its arm. */
  taskId: Type.Optional(TaskIdText),
});
export type QueryReasoning = Static<typeof QueryReasoning>;

export const ADOPTION_STAGES = ['watching', 'canary', 'adopted', 'rolledBack'] as const;

/** What is learnt about a task type. */
export const ReasoningTypeRow = record({
  taskType: TaskTypeText,
  arms: Count,
  defaultArmId: Name,
  /** What agents are to use. */
  incumbentArmId: Name,
  stage: oneOf(ADOPTION_STAGES),
  /** Of a canary: what is tried, and for which share of the tasks. */
  candidateArmId: Type.Optional(Name),
  canaryPercent: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
  recorded: Count,
  resolved: Count,
  /** Changes of how well forecasts of the learner fit that were seen. */
  changes: Count,
});
export type ReasoningTypeRow = Static<typeof ReasoningTypeRow>;

/** What is known of one arm. */
export const ReasoningArmRow = record({
  armId: Name,
  arm: Arm,
  isDefault: Type.Boolean(),
  isIncumbent: Type.Boolean(),
  recorded: Count,
  resolved: Count,
  /** Outcomes that have a utility, those included that other arms' computations yielded. */
  scored: Count,
  meanUtility: Type.Optional(Fraction),
  meanComputeMs: Type.Optional(DurationMs),
  /** Against the incumbent; the interval of the mean difference is its `lower` and `upper`. */
  verdict: Type.Optional(Verdict),
});
export type ReasoningArmRow = Static<typeof ReasoningArmRow>;

/** What an agent has shown of one task type. */
export const ReasoningAgentRow = record({
  agentId: AgentIdText,
  taskType: TaskTypeText,
  resolved: Count,
  /** Moving averages of the utility: of about the last 30 outcomes, and of about the last 300. */
  recentUtility: Type.Optional(Fraction),
  longUtility: Type.Optional(Fraction),
  latencyP50Ms: Type.Optional(DurationMs),
  latencyP95Ms: Type.Optional(DurationMs),
  latencyP99Ms: Type.Optional(DurationMs),
  /** Of forecasts of probabilities: mean squared error, and expected calibration error over ten bins. */
  brier: Type.Optional(Fraction),
  calibrationError: Type.Optional(Fraction),
  /** Share of the outcomes between the 5 % and the 95 % quantile that were forecast. */
  coverage: Type.Optional(Fraction),
  /** 1 − loss / loss of the baseline, where one was named. */
  skill: Type.Optional(Type.Number()),
});
export type ReasoningAgentRow = Static<typeof ReasoningAgentRow>;

export const MEMORY_KINDS = ['works', 'better', 'avoid', 'equal', 'undecided'] as const;

/** What was learnt, for people. */
export const MemoryItem = record({
  taskType: TaskTypeText,
  kind: oneOf(MEMORY_KINDS),
  title: Text,
  description: Text,
  content: Text,
});
export type MemoryItem = Static<typeof MemoryItem>;

/** Why an arm was chosen or suggested, most important first. */
export const ReasoningExplanation = record({
  taskType: TaskTypeText,
  armId: Name,
  sentences: listOf(Text, 32),
  /** Resolved experiences whose context was most like that of the task. */
  nearest: listOf(
    record({
      experienceId: Name,
      armId: Name,
      utility: Type.Optional(Fraction),
      distance: Type.Number({ minimum: 0 }),
      weight: Type.Number({ minimum: 0 }),
    }),
    32,
  ),
});
export type ReasoningExplanation = Static<typeof ReasoningExplanation>;

/** Coordinator → client: the view that was asked for. */
export const ReasoningReport = record({
  requestId: Count,
  view: oneOf(REASONING_VIEWS),
  types: Type.Optional(listOf(ReasoningTypeRow)),
  arms: Type.Optional(listOf(ReasoningArmRow)),
  agents: Type.Optional(listOf(ReasoningAgentRow)),
  items: Type.Optional(listOf(MemoryItem)),
  explanation: Type.Optional(ReasoningExplanation),
  /** Of `export`: the data set that everything is in, to be fetched like any other. */
  datasetId: Type.Optional(DatasetIdText),
});
export type ReasoningReport = Static<typeof ReasoningReport>;

export const REASONING_ACTIONS = ['import', 'reset'] as const;

/** Client → coordinator: take in what another bank has learnt, or forget. Answered by MessageAck or ErrorReport. */
export const ControlReasoning = record({
  requestId: Count,
  action: oneOf(REASONING_ACTIONS),
  /** For `import`: an export that was uploaded before. */
  datasetId: Type.Optional(DatasetIdText),
  /** For `reset`: only this task type. */
  taskType: Type.Optional(TaskTypeText),
});
export type ControlReasoning = Static<typeof ControlReasoning>;
