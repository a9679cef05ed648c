/** How experiences that agents and clients report come into the bank. */
import type { ReasoningExperience } from '@quic-swarm/protocol';
import type { ExperienceBank } from '@quic-swarm/reasoning';

/** The first time without an outcome it is recorded, the second time with one it is resolved. */
export function recordExperience(bank: ExperienceBank, experience: ReasoningExperience): void {
  const { actual, resolvedAtStep, loss, utility, experienceId } = experience;
  if (actual === undefined || resolvedAtStep === undefined) {
    bank.record(experience);
    return;
  }
  bank.resolve(experienceId, {
    actual,
    resolvedAtStep,
    ...(loss === undefined ? {} : { loss }),
    ...(utility === undefined ? {} : { utility }),
  });
}
