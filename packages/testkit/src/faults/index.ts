/** Faulty networks: the decisions, pure, and a UDP proxy that carries them out. */
export * from './link-faults.ts';
export * from './faulty-link.ts';
export * from './delivery-queue.ts';
export * from './fault-proxy.ts';
