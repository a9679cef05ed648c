/** What tests of several packages share: whole swarms in one process, conformance suites. */
export * from './conformance/index.ts';
export * from './swarm.ts';
