import type { ReasoningExperience, Verdict } from '@quic-swarm/protocol';
import { ExperienceBank, judge, type Outcome } from '@quic-swarm/reasoning';

export function compare(done: ReasoningExperience[], known: Map<string, Outcome>): Verdict {
  const bank = new ExperienceBank({ capacity: 10_000 });
  for (const experience of done) bank.record(experience); // the task is done, its outcome still open
  for (const [experienceId, outcome] of known) bank.resolve(experienceId, outcome); // later
  const experiences = bank.experiences('PatternMatch');
  const arms = { candidateArmId: 'band-20', incumbentArmId: 'band-5' };
  return judge({ taskType: 'PatternMatch', ...arms, experiences, alpha: 0.05 });
}
