/** `--label KEY=VALUE`. */
import type { Values } from '../command-line/values.ts';
import { usageError } from '../output/command-error.ts';

/** The pairs of every `--label`. @throws BAD_OPTION */
export function readLabels(values: Values): Record<string, string> {
  const pairs = values.texts('label').map((text): [string, string] => {
    const at = text.indexOf('=');
    if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
    throw usageError(`--label "${text}" is not KEY=VALUE.`, 'For example: --label zone=a');
  });
  return Object.fromEntries(pairs);
}
