import { Learner, type LearnerChoice } from '@quic-swarm/reasoning';

export const learner = new Learner(
  {
    taskType: 'PatternMatch',
    // The first arm is used as long as nothing is known.
    arms: [20, 5, 10, 40].flatMap((window) => [5, 30].map((k) => ({ window, k }))),
    // A search for the best 30 has found the best 5 on the way.
    freeParameters: ['k'],
  },
  { contextLength: 1 },
);

export function decide(volatility: number): LearnerChoice {
  return learner.choose([volatility], Math.random); // arm, armId, propensity, runnerUp: worth a replay
}

export function resolve(volatility: number, utilities: Map<number, number>): void {
  const observations = [...utilities].map(([armIndex, utility]) => ({ armIndex, utility }));
  learner.learn([volatility], observations); // all that is known about *one* task, together
}
