/** Arms as values: the order of their parameters says nothing. */
import type { Arm } from '@quic-swarm/protocol';

/** An arm in one line: `normalise=z topK=5 window=20`. Equal arms have equal texts. */
export function armText(arm: Arm): string {
  return Object.entries(arm)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

/** True when both have the same parameters with the same values. */
export function isSameArm(left: Arm, right: Arm): boolean {
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length && names.every((name) => left[name] === right[name])
  );
}
