/** What a person may ask of a task beside its input: when it runs, and what becomes of it in a restart. */
import type { SubmitOptions } from '@quic-swarm/client';
import type { Values } from '../command-line/values.ts';
import { usageError } from '../output/command-error.ts';
import { readLearnOptions } from './learn-options.ts';
import { readLabels } from './labels.ts';
import { parseTaskId } from './task-id.ts';

/** The longest key that the protocol takes. */
const KEY_LENGTH_MAX = 128;

/** Reads the options that every submission has as those of the SDK. @throws BAD_OPTION */
export function readTaskTerms(values: Values): SubmitOptions {
  const timeoutMs = values.durationMs('timeout');
  if (timeoutMs === 0) throw usageError('--timeout must be longer than nothing.');
  const labels = readLabels(values);
  const after = [...new Set(values.texts('after').map(parseTaskId))];
  return {
    priority: values.integer('priority', { min: 1, max: 5 }) ?? 3,
    scheduleToCloseMs: timeoutMs,
    labels: Object.keys(labels).length === 0 ? undefined : labels,
    durable: values.switchState('durable'),
    after: after.length === 0 ? undefined : after,
    notBefore: values.timeOfDay('not-before'),
    fairnessKey: readKey(values, 'fairness-key'),
    hedge: values.switchState('hedge'),
    idempotencyKey: readKey(values, 'idempotency-key'),
    learn: readLearnOptions(values),
  };
}

function readKey(values: Values, option: string): string | undefined {
  const key = values.text(option);
  if (key === undefined || key.length <= KEY_LENGTH_MAX) return key;
  throw usageError(`--${option} has ${key.length} characters.`, `At most ${KEY_LENGTH_MAX}.`);
}
