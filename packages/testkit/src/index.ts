/** What tests of several packages share: whole swarms in one process, real or simulated, conformance suites, faulty networks. */
export * from './conformance/index.ts';
export * from './faults/index.ts';
export * from './learning/index.ts';
export * from './simulation/index.ts';
export * from './swarm.ts';
