/** What learning the parameters of searches gains on series that nothing was tuned on, and what it costs. */
import { learningLines, learningPolicies } from '@quic-swarm/testkit';
import type { Bench, ResultReader } from '../harness/model.ts';
import { learnedParameters, learnerDecisions } from '../workloads/learning.ts';

const OURS = 'shared + shadow + free';
const LINEAR_BANDIT = 'per arm';
const GAIN = learnedParameters.name;

const gain =
  (metric: string) =>
  (results: ResultReader): number | undefined =>
    results.value(GAIN, OURS, metric);

export const reasoning: Bench = {
  name: 'reasoning',
  title: 'Parameters learnt from outcomes that are known five days later',
  // The forecasts are the same in each round, and decisions are many within one.
  rounds: 1,
  quickRounds: 1,
  // Ours first: ratios are made with it.
  contestants: [OURS, ...learningLines.filter((line) => line !== OURS)].map((line) => ({
    name: line,
    kind:
      line === OURS
        ? ('ours' as const)
        : line in learningPolicies
          ? ('peer' as const)
          : ('floor' as const),
    peer: 'learning-policy',
    variant: { line },
    ...(line === LINEAR_BANDIT
      ? { note: 'LinUCB with a model for each arm (Li et al. 2010)' }
      : {}),
  })),
  plans: [
    { workload: learnedParameters },
    { workload: learnerDecisions, quick: { warmUpCount: 2000, count: 5000 } },
  ],
  targets: [
    {
      name: 'error cut against random arms',
      unit: '%',
      comparator: '>=',
      target: 10,
      measure: gain('cut'),
    },
    {
      name: 'lower end of its 95 % interval',
      unit: '%',
      comparator: '>=',
      target: 0,
      measure: gain('cut from'),
    },
    {
      name: 'gap from random arms to the best in hindsight closed',
      unit: '%',
      comparator: '>=',
      target: 60,
      measure: gain('gap closed'),
    },
    {
      name: 'error to that of LinUCB with a model per arm',
      unit: '×',
      comparator: '<',
      target: 1,
      measure: (results) => results.ratio(GAIN, 'error', OURS, LINEAR_BANDIT),
    },
    {
      name: 'decision and update, p99',
      unit: 'µs',
      comparator: '<',
      target: 100,
      measure: (results) => results.value(learnerDecisions.name, OURS, 'p99'),
    },
  ],
};
