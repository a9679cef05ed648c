/** What can go wrong in a simulated swarm, besides the weather and what handlers do. */

/** The kinds; each is switched on or off as a whole for a seed, since many faults at once hide each other. */
export const FAULT_KINDS = [
  /** The way to one process is cut for a while, in both directions. */
  'cutPath',
  /** The same in one direction. */
  'cutOneWay',
  /** The ways to all processes at once. */
  'cutAllPaths',
  /** An agent dies, and may be started again under its id. */
  'killAgent',
  /** An agent has no turn for a while (SIGSTOP), and then goes on. */
  'freezeAgent',
  /** An agent is asked to leave (SIGTERM). */
  'drainAgent',
  /** An operator takes an agent out of service, back into it, or asks it to leave. */
  'controlAgent',
  /** A connection is closed by the coordinator's transport because of its age. */
  'expireConnection',
  /** A client dies. */
  'killClient',
  /** A client closes in good order. */
  'closeClient',
  'freezeClient',
  /** What a client may say early arrives once more, on a connection of its own (0-RTT replay). */
  'replayFlight',
  /** The coordinator dies and is started again, with a higher epoch. */
  'killCoordinator',
  'freezeCoordinator',
  /** The coordinator is asked to stop (SIGTERM): it takes nothing new, ends in good order and is started again. */
  'drainCoordinator',
  /** The disk is full, or an fsync fails; it works again after a while. */
  'failDisk',
] as const;

/** One of {@link FAULT_KINDS}. */
export type FaultKind = (typeof FAULT_KINDS)[number];
