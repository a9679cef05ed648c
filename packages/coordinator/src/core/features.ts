/** Which optional parts of the protocol this coordinator offers, and what it answers to requests for the others. */
import { failure, type Failure, type Feature, type SubmitTask } from '@quic-swarm/protocol';

/** The features named in every acknowledgement. */
export const FEATURES_OFFERED: readonly Feature[] = [];

/** Why a submission cannot be accepted as it is; undefined when nothing of it needs a missing feature. */
export function missingFeature(submission: SubmitTask): Failure | undefined {
  const needed: [Feature, boolean][] = [
    ['durable', submission.durable === true],
    ['dependencies', (submission.after ?? []).length > 0],
    ['fairness', submission.fairnessKey !== undefined],
  ];
  const missing = needed.find(([feature, asked]) => asked && !FEATURES_OFFERED.includes(feature));
  if (missing === undefined) return undefined;
  return failure(
    'UNSUPPORTED_OPTION',
    `The task needs the feature "${missing[0]}", which this coordinator does not offer.`,
    {
      hint: 'Submit it without that option; the features offered are listed when a client connects.',
    },
  );
}
