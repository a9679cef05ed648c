/**
 * One line of what learning gains: a policy that learns the parameters of a search for analogues, a fixed arm, or a
 * forecaster that learns nothing of the kind (the variant's `line`, see `learningLines` of the testkit).
 */
import { readFileSync } from 'node:fs';
import { Learner, type Observation } from '@quic-swarm/reasoning';
import {
  CONTEXT_LENGTH,
  learningPolicies,
  learningRow,
  volatilityArms,
  volatilityTasks,
} from '@quic-swarm/testkit';
import { parseCsv } from '@quic-swarm/cli';
import type { Peer } from './contract.ts';

const INDICES = new URL('../../../examples/data/eu-stock-markets.csv', import.meta.url);

export const peer: Peer = {
  packages: [],
  processes: [
    {
      name: 'learner',
      async start({ variant }) {
        const line = String(variant['line']);
        const policy = learningPolicies[line];
        return {
          abilities: {
            learnParameters: () => learningRow(volatilityTasks(indices()), line),
            ...(policy === undefined
              ? {}
              : {
                  chooseAndLearn: chooserOf(
                    new Learner(volatilityArms, {
                      ...policy.learner,
                      contextLength: CONTEXT_LENGTH,
                    }),
                  ),
                }),
          },
          stop: () => undefined,
        };
      },
    },
  ],
};

/** DAX, SMI, CAC and FTSE: nothing of the learner was tuned on them. */
function indices(): Float64Array[] {
  const { columns } = parseCsv(readFileSync(INDICES, 'utf8'), { source: INDICES.pathname });
  return ['DAX', 'SMI', 'CAC', 'FTSE'].map((name) => columns.get(name) ?? new Float64Array());
}

/** Chooses an arm, and learns how it, its shadow and what both answer on the way did: the most that one task costs. */
function chooserOf(learner: Learner): () => void {
  const context = new Float64Array(CONTEXT_LENGTH);
  let step = 0;
  return () => {
    step += 1;
    for (let index = 0; index < context.length; index += 1)
      context[index] = Math.sin(step * (index + 1));
    const { armIndex, runnerUpIndex = armIndex } = learner.choose(context, () => 0);
    const seen = [armIndex, runnerUpIndex].flatMap((arm) => [arm, ...learner.freeWith(arm)]);
    const observations = seen.map((arm): Observation => {
      return { armIndex: arm, utility: 0.5 + 0.4 * Math.sin(arm + step) };
    });
    learner.learn(context, observations);
  };
}
