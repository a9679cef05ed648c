/**
 * A whole swarm in one thread on a virtual clock: the real cores of a coordinator, agents and clients, a simulated
 * network, disk and threads, faults, and checkers. Every run is a function of its seed. See the package's README.
 */
export { runSeed, type BrokenRule, type RunOptions, type SeedReport } from './run-seed.ts';
export { runScenario } from './scenario.ts';
