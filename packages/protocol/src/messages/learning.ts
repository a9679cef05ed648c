/** What the ReasoningBank learns from and what it says. Formulas: docs of the package `reasoning`. */
import { Type, type Static } from 'typebox';
import {
  AgentIdText,
  AgentTypeText,
  Arm,
  Count,
  DurationMs,
  Float64Values,
  Fraction,
  Name,
  TaskIdText,
  TaskTypeText,
  Text,
  oneOf,
  record,
} from '../schema.ts';

/** What was forecast: a mean, and where the handler knows them, quantiles or a probability. */
const Prediction = record({
  mean: Type.Number(),
  q05: Type.Optional(Type.Number()),
  q50: Type.Optional(Type.Number()),
  q95: Type.Optional(Type.Number()),
  probability: Type.Optional(Fraction),
});

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
