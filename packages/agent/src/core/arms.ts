/** Arms: what makes two of them the same, and what is no arm. */
import type { Arm } from '@quic-swarm/protocol';

const NAMES_MAX = 256;
const NAME_LENGTH_MAX = 128;
const TEXT_LENGTH_MAX = 256;

/**
 * Two arms have the same key exactly when they are the same, in whichever order their names stand. It never leaves the
 * agent. The id that people see is `armIdOf` of the reasoning package, which every worker thread of a pattern agent would
 * have to load for it.
 */
export function armKeyOf(arm: Readonly<Arm>): string {
  return JSON.stringify(Object.entries(arm).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function isSameArm(a: Readonly<Arm>, b: Readonly<Arm>): boolean {
  return armKeyOf(a) === armKeyOf(b);
}

/** Why a value is no arm, as the end of a sentence; undefined when it is one. */
export function armProblemOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'is no object of parameters';
  }
  const entries: [string, unknown][] = Object.entries(value);
  if (entries.length > NAMES_MAX) return `has more than ${NAMES_MAX} parameters`;
  for (const [name, parameter] of entries) {
    if (name.length === 0 || name.length > NAME_LENGTH_MAX) {
      return `has a parameter whose name is not of 1 to ${NAME_LENGTH_MAX} characters`;
    }
    if (typeof parameter === 'boolean' || Number.isFinite(parameter)) continue;
    if (typeof parameter === 'string' && parameter.length <= TEXT_LENGTH_MAX) continue;
    return `has ${name}, which is neither a finite number nor a boolean nor a text of at most ${TEXT_LENGTH_MAX} characters`;
  }
  return undefined;
}
