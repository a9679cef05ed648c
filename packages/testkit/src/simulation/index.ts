/** A whole swarm in one thread on a virtual clock: every run is a function of its seed. */
export * from './run-seed.ts';
