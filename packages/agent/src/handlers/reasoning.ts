/** Task type ReasoningJudge: is one arm better than another? The answer is `judge` of the reasoning package. */
import { SwarmError, type ReasoningJudgeInput, type Verdict } from '@quic-swarm/protocol';
import { judge } from '@quic-swarm/reasoning';

/** Computes a ReasoningJudge task. */
export default function judgeArms(input: ReasoningJudgeInput): Verdict {
  const { alpha } = input;
  if (alpha !== undefined && !(alpha > 0 && alpha < 1)) {
    throw new SwarmError('BAD_INPUT', `alpha is ${alpha}, but it must lie above 0 and below 1.`, {
      hint: 'Leave it out for 0.05.',
    });
  }
  return judge(input);
}
