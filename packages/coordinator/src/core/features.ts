/** What a coordinator answers to requests for optional parts of the protocol that it does not offer. */
import { failure, type Failure, type Feature, type SubmitTask } from '@quic-swarm/protocol';

/** What a coordinator offers that was started so. */
export function offeredFeatures(compresses: boolean, isDurable: boolean): readonly Feature[] {
  const features: Feature[] = [
    'shards',
    'dependencies',
    'fairness',
    'hedging',
    'learning',
    'bounds',
  ];
  if (compresses) features.push('compression');
  if (isDurable) features.push('durable');
  return features;
}

/** Why a submission cannot be accepted as it is; undefined when nothing of it needs a missing feature. */
export function missingFeature(
  submission: SubmitTask,
  offered: readonly Feature[],
): Failure | undefined {
  const { durable, after, fairnessKey, hedge, shards, learn } = submission;
  const missing =
    unlessOffered('durable', durable === true, offered) ??
    unlessOffered('dependencies', after !== undefined && after.length > 0, offered) ??
    unlessOffered('fairness', fairnessKey !== undefined, offered) ??
    unlessOffered('hedging', hedge === true, offered) ??
    unlessOffered('shards', shards !== undefined, offered) ??
    unlessOffered('learning', learn !== undefined, offered);
  if (missing === undefined) return undefined;
  return failure(
    'UNSUPPORTED_OPTION',
    `The task needs the feature "${missing}", which this coordinator does not offer.`,
    {
      hint:
        missing === 'durable'
          ? 'Start the coordinator with a data folder (--data DIR), or submit the task without durable.'
          : 'Submit it without that option; the features offered are listed when a client connects.',
    },
  );
}

function unlessOffered(
  feature: Feature,
  isNeeded: boolean,
  offered: readonly Feature[],
): Feature | undefined {
  return isNeeded && !offered.includes(feature) ? feature : undefined;
}
