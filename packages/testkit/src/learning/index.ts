/** A learner on real work: tasks whose parameters matter, policies that choose them, and what that gains. */
export * from './volatility-tasks.ts';
export * from './policy-run.ts';
export * from './learning-table.ts';
export { cutInterval, meanLoss, type CutInterval } from './cut-interval.ts';
