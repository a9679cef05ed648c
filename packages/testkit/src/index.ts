/** What tests of several packages share: whole swarms in one process, programs under test, conformance suites. */
export * from './child-process.ts';
export * from './conformance/index.ts';
export * from './swarm.ts';
