/** Arms and utilities as a person reads them. */
import type { Arm } from '@quic-swarm/protocol';
import { meanUtility, utilityVariance, type ArmStatistics } from '../experience/arm-statistics.ts';
import { plain } from '../evidence/numbers-in-words.ts';

/** `k=30, window=20, zNormalise=true`, in the order of the names; the id where there are no parameters. */
export function armWords(armId: string, arm: Arm | undefined): string {
  const names = Object.keys(arm ?? {}).sort();
  if (arm === undefined || names.length === 0) return armId;
  return names.map((name) => `${name}=${valueWords(arm[name])}`).join(', ');
}

/** How good an arm was in the cases that it answered itself, in one sentence. */
export function recordWords(statistics: ArmStatistics | undefined): string {
  const mean = statistics && meanUtility(statistics);
  if (statistics === undefined || mean === undefined) return 'No outcome of it is known yet.';
  const { scored, failures } = statistics;
  const variance = utilityVariance(statistics);
  const spread =
    variance === undefined ? '' : ` (standard deviation ${Math.sqrt(variance).toFixed(2)})`;
  const failed = failures === 0 ? 'none' : `${plain((100 * failures) / scored)} %`;
  return (
    `In ${scored} ${scored === 1 ? 'case' : 'cases'} with a known outcome its utility was ${mean.toFixed(2)} on ` +
    `average${spread}; ${failed} of them failed altogether.`
  );
}

function valueWords(value: Arm[string] | undefined): string {
  // Four digits tell any two arms apart that a person would declare; 0.30000000000000004 helps nobody.
  return typeof value === 'number' ? String(Number(value.toPrecision(4))) : String(value);
}
