/** Which optional parts of the protocol this coordinator offers, and what it answers to requests for the others. */
import { failure, type Failure, type Feature, type SubmitTask } from '@quic-swarm/protocol';

/** The features named in every acknowledgement. */
export const FEATURES_OFFERED: readonly Feature[] = [];

/** Why a submission cannot be accepted as it is; undefined when nothing of it needs a missing feature. */
export function missingFeature(submission: SubmitTask): Failure | undefined {
  const { durable, after, fairnessKey } = submission;
  const missing =
    unlessOffered('durable', durable === true) ??
    unlessOffered('dependencies', after !== undefined && after.length > 0) ??
    unlessOffered('fairness', fairnessKey !== undefined);
  if (missing === undefined) return undefined;
  return failure(
    'UNSUPPORTED_OPTION',
    `The task needs the feature "${missing}", which this coordinator does not offer.`,
    {
      hint: 'Submit it without that option; the features offered are listed when a client connects.',
    },
  );
}

function unlessOffered(feature: Feature, isNeeded: boolean): Feature | undefined {
  return isNeeded && !FEATURES_OFFERED.includes(feature) ? feature : undefined;
}
