import { readFile } from 'node:fs/promises';
import type { Arm } from '@quic-swarm/protocol';
import type { Outcome } from '@quic-swarm/reasoning';
import { expect, it } from 'vitest';
import { experienceOf } from './experiences.ts';
import { compare } from './readme-example.ts';
import { decide, learner, resolve } from './readme-learner.ts';

it.each(['readme-example.ts', 'readme-learner.ts'])(
  'the example of the README is the one that runs here: %s',
  async (name) => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    const example = await readFile(new URL(name, import.meta.url), 'utf8');
    expect(readme).toContain('```ts\n' + example + '```');
  },
);

it('the learner of the README learns to look at long windows and many matches', () => {
  for (let task = 0; task < 60; task += 1) {
    const volatility = Math.sin(task);
    const { armIndex, runnerUpIndex = armIndex } = decide(volatility);
    const computed = [armIndex, runnerUpIndex].flatMap((arm) => [arm, ...learner.freeWith(arm)]);
    const utilityOf = ({ window, k }: Arm) => 0.3 + Number(window) / 200 + Number(k) / 200;
    resolve(
      volatility,
      new Map(computed.map((arm) => [arm, utilityOf(learner.space.arms[arm] ?? {})])),
    );
  }
  expect(decide(0)).toMatchObject({ armId: 'k=30,window=40', propensity: 1 });
});

it('the example of the README finds the better arm', () => {
  const utilities = new Map([
    ['band-5', 0.5],
    ['band-20', 0.7],
  ]);
  const steps = [...Array(150).keys()];
  const done = steps.flatMap((step) =>
    [...utilities.keys()].map((armId) =>
      experienceOf(`${armId}-${step}`, { armId, seriesId: 'spx', issuedAtStep: step }),
    ),
  );
  const known = new Map<string, Outcome>();
  for (const { experienceId, armId, issuedAtStep } of done) {
    // A tenth of the cases go wrong with the better arm.
    const utility = armId === 'band-20' && issuedAtStep % 10 === 0 ? 0.2 : utilities.get(armId);
    if (utility === undefined) throw new Error(armId);
    known.set(experienceId, { actual: 0, utility, resolvedAtStep: issuedAtStep + 1 });
  }
  const verdict = compare(done, known);
  expect(verdict).toMatchObject({ decision: 'adopt', pairs: 150, unpaired: 0 });
  expect(verdict.explanation).toContain('enough to adopt it');
});
