/** What a coordinator answers to requests for optional parts of the protocol that it does not offer. */
import { failure, type Failure, type Feature, type SubmitTask } from '@quic-swarm/protocol';

/** Why a submission cannot be accepted as it is; undefined when nothing of it needs a missing feature. */
export function missingFeature(
  submission: SubmitTask,
  offered: readonly Feature[],
): Failure | undefined {
  const needed: [Feature, boolean][] = [
    ['durable', submission.durable === true],
    ['dependencies', (submission.after ?? []).length > 0],
    ['fairness', submission.fairnessKey !== undefined],
  ];
  const missing = needed.find(([feature, asked]) => asked && !offered.includes(feature));
  if (missing === undefined) return undefined;
  return failure(
    'UNSUPPORTED_OPTION',
    `The task needs the feature "${missing[0]}", which this coordinator does not offer.`,
    {
      hint: 'Submit it without that option; the features offered are listed when a client connects.',
    },
  );
}
