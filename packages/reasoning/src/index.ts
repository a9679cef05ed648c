/**
 * The ReasoningBank: remembers what was decided and how it turned out, and judges whether one way of doing a task is
 * better than another. Everything here is pure: experiences go in, statistics and verdicts come out; who sends them,
 * stores them or acts on them is somebody else's business.
 *
 * 1. {@link ExperienceBank} records an experience when a task is done and resolves it when its outcome is known.
 * 2. {@link UtilityScale} turns losses of any unit into utilities between 0 and 1.
 * 3. {@link judge} pairs the experiences of two arms and weighs the differences with {@link Evidence}, in a way that
 *    stays honest however often it is asked.
 * 4. {@link Learner} chooses the parameters of the next task from what is known about those before.
 */
export {
  mergeArmStatistics,
  meanUtility,
  utilityVariance,
  type ArmStatistics,
} from './experience/arm-statistics.ts';
export * from './bank/bank-reports.ts';
export * from './bank/reasoning-bank.ts';
export { TypeMemory, type ArmChoice, type TypeMemorySnapshot } from './bank/type-memory.ts';
export * from './evidence/evidence.ts';
export * from './experience/experience-bank.ts';
export { armIdOf, ArmSpace, type Tunable } from './learner/arm-space.ts';
export * from './learner/learner.ts';
export { PerArmPolicy } from './learner/per-arm-policy.ts';
export type {
  Choice,
  Expectation,
  FreeWith,
  Observation,
  Policy,
  PolicyKind,
  PolicyOptions,
  PolicySnapshot,
} from './learner/policy.ts';
export { Ridge, type RidgePrior, type RidgeSnapshot } from './learner/ridge.ts';
export { SharedPolicy, type SharedPolicyOptions } from './learner/shared-policy.ts';
export * from './evidence/pairing.ts';
export { utilityOf, UtilityScale, type UtilityScaleSnapshot } from './experience/utility.ts';
export { EQUIVALENCE_MARGIN, judge, type JudgeQuestion } from './evidence/verdict.ts';
export * from './adoption/adoption.ts';
export type { ResolvedCase } from './adoption/running-evidence.ts';
export { LEGAL_TRANSITIONS, STANDINGS, type Standing } from './adoption/standing.ts';
export * from './tracking/agent-tracker.ts';
export * from './tracking/page-hinkley.ts';
export type { CalibrationReport } from './tracking/probability-calibration.ts';
export type { SkillReport } from './tracking/skill.ts';
export * from './memory/explanation.ts';
export * from './memory/memory-item.ts';
export * from './memory/retrieval.ts';
