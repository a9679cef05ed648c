/** What a handler says for the learner, checked and copied: it travels, and what cannot travel is the handler's mistake. */
import {
  SwarmError,
  TUNABLE_ARMS_MAX,
  encodeDocument,
  type Alternative,
  type Arm,
  type Prediction,
} from '@quic-swarm/protocol';
import { armProblemOf } from '../core/arms.ts';

/** All alternatives of one task: as much as a result may have that travels inside its message. */
const ALTERNATIVES_BYTES_MAX = 64 * 1024;

const PREDICTION_FIELDS = ['mean', 'q05', 'q50', 'q95', 'probability'] as const;

/** @throws TASK_FAILED */
export function requirePrediction(value: unknown, name = 'The prediction'): Prediction {
  if (!isObject(value)) {
    throw badFindings(`${name} is no object.`, 'Write predict({ mean: … }).');
  }
  const unknown = Object.keys(value).find(
    (field) => !PREDICTION_FIELDS.some((known) => known === field),
  );
  if (unknown !== undefined) {
    throw badFindings(
      `${name} has a field ${unknown}, which does not exist.`,
      `It has mean and, if known, ${PREDICTION_FIELDS.slice(1).join(', ')}.`,
    );
  }
  const checked: Prediction = { mean: requireNumber(value['mean'], `${name} has the mean`) };
  for (const field of PREDICTION_FIELDS) {
    if (value[field] === undefined) continue;
    checked[field] = requireNumber(value[field], `${name} has the ${field}`);
  }
  const { probability = 0 } = checked;
  if (probability >= 0 && probability <= 1) return checked;
  throw badFindings(
    `${name} has the probability ${probability}.`,
    'A probability lies between 0 and 1.',
  );
}

/** @throws TASK_FAILED */
export function requireAlternatives(alternatives: unknown): Alternative[] {
  if (!Array.isArray(alternatives)) {
    throw badFindings('The alternatives are no list.', 'Write predict(…, [{ arm, predicted }]).');
  }
  if (alternatives.length > TUNABLE_ARMS_MAX) {
    throw badFindings(
      `There are ${alternatives.length} alternatives.`,
      `Name ${TUNABLE_ARMS_MAX} at most.`,
    );
  }
  const checked = alternatives.map((alternative: unknown, index) => {
    const { arm, predicted } = isObject(alternative) ? alternative : {};
    return {
      arm: requireArm(arm, `The arm of alternative ${index}`),
      predicted: requirePrediction(predicted, `The prediction of alternative ${index}`),
    };
  });
  const bytes = encodeDocument(checked).length;
  if (bytes <= ALTERNATIVES_BYTES_MAX) return checked;
  throw badFindings(
    `The alternatives have ${bytes} bytes; ${ALTERNATIVES_BYTES_MAX} are allowed.`,
    'Give parameters short names and values.',
  );
}

/** @throws TASK_FAILED */
export function requireArm(arm: unknown, name = 'The arm'): Arm {
  const problem = armProblemOf(arm);
  if (problem === undefined) return { ...(arm as Arm) };
  throw badFindings(`${name} ${problem}.`, 'An arm looks like { window: 20, normalise: true }.');
}

function requireNumber(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw badFindings(
    `${name} ${String(value)}, which is no finite number.`,
    'Leave predict out where there is nothing to forecast.',
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** It would come out the same at every attempt. */
function badFindings(message: string, hint: string): SwarmError {
  return new SwarmError('TASK_FAILED', message, { retryable: false, hint });
}
