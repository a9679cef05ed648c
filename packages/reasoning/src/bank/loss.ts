/** From a forecast and what came of it to a loss, as the handler's declaration says. */
import type { Loss, Prediction } from '@quic-swarm/protocol';

/** The loss of a forecast; undefined where it lacks what the loss is made of. Finite for finite numbers up to 10¹⁵⁰. */
export function lossOf(
  loss: Loss,
  predicted: Prediction | undefined,
  actual: number,
): number | undefined {
  if (predicted === undefined) return undefined;
  switch (loss) {
    case 'squared':
      return (predicted.mean - actual) ** 2;
    case 'absolute':
      return Math.abs(predicted.mean - actual);
    case 'brier':
      return predicted.probability === undefined
        ? undefined
        : (predicted.probability - actual) ** 2;
  }
}
