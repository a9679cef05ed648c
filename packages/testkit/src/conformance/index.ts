/** Suites that every implementation of a contract must pass. */
export * from './streams.ts';
export * from './meeting.ts';
export { describeTransportConformance } from './transport.ts';
