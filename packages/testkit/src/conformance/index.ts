/** Suites that every implementation of a contract must pass. */
export * from './streams.ts';
export * from './meeting.ts';
export { describeTransportConformance } from './transport.ts';
export { describeStoreConformance } from './store/conformance.ts';
export * from './store/workbench.ts';
export { expectHonest, fill, readEverything, type Reading } from './store/damage.ts';
