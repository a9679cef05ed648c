/** How a seed that breaks a rule is told. */
import type { SeedReport } from '@quic-swarm/testkit';

/** What a person needs: the seed, the rule, how it came about. Empty when every rule held. */
export function storyOf({ seed, broken }: SeedReport): string {
  if (broken === undefined) return '';
  const again = `npm run simulate -- --first-seed ${seed} --seeds 1 --verbose`;
  return [
    `SEED=${seed}`,
    `The rule "${broken.rule}" does not hold: ${broken.sentence}`,
    ...broken.story,
    `All of it: ${again}`,
    '',
  ].join('\n');
}
