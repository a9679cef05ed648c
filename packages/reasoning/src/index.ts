/**
 * The ReasoningBank: remembers what was decided and how it turned out, and judges whether one way of doing a task is
 * better than another. Everything here is pure: experiences go in, statistics and verdicts come out; who sends them,
 * stores them or acts on them is somebody else's business.
 *
 * 1. {@link ExperienceBank} records an experience when a task is done and resolves it when its outcome is known.
 * 2. {@link UtilityScale} turns losses of any unit into utilities between 0 and 1.
 * 3. {@link judge} pairs the experiences of two arms and weighs the differences with {@link Evidence}, in a way that
 *    stays honest however often it is asked.
 */
export {
  mergeArmStatistics,
  meanUtility,
  utilityVariance,
  type ArmStatistics,
} from './arm-statistics.ts';
export * from './evidence.ts';
export * from './experience-bank.ts';
export * from './pairing.ts';
export { utilityOf, UtilityScale, type UtilityScaleSnapshot } from './utility.ts';
export * from './verdict.ts';
