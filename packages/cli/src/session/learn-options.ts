/** `--learn` and what belongs to it: that a task is learnt from. */
import type { LearnOptions } from '@quic-swarm/client';
import type { Values } from '../command-line/values.ts';
import { usageError } from '../output/command-error.ts';

/** Numbers that a context may have. */
const CONTEXT_LENGTH_MAX = 16;

/** Options that say something only beside `--learn`. */
const COMPANIONS = ['context', 'series-id', 'step'] as const;

/** Undefined where nobody wants to learn. @throws BAD_OPTION */
export function readLearnOptions(values: Values): LearnOptions | undefined {
  const shadow = values.switchState('shadow');
  if (!values.isOn('learn')) {
    const lonely = COMPANIONS.find((name) => values.text(name) !== undefined);
    const name = lonely === undefined && shadow !== undefined ? '[no-]shadow' : lonely;
    if (name === undefined) return undefined;
    throw usageError(`--${name} belongs to --learn.`, 'Add --learn.');
  }
  const context = readContext(values);
  const seriesId = values.text('series-id');
  const step = values.integer('step', { min: 0 });
  return {
    ...(context === undefined ? {} : { context }),
    ...(seriesId === undefined ? {} : { seriesId }),
    ...(step === undefined ? {} : { step }),
    ...(shadow === undefined ? {} : { shadow }),
  };
}

function readContext(values: Values): number[] | undefined {
  const context = values.list('context')?.map((word) => {
    const value = Number(word);
    if (Number.isFinite(value)) return value;
    throw usageError(`--context "${word}" is not a number.`, 'For example: --context 0.1,0.2');
  });
  if (context === undefined || context.length <= CONTEXT_LENGTH_MAX) return context;
  throw usageError(`--context has ${context.length} numbers.`, `At most ${CONTEXT_LENGTH_MAX}.`);
}
