/**
 * The coordinator: agents register with it, clients submit tasks to it, and it gives the tasks to the agents. What it
 * decides is in `core/`, what it does in `shell/`.
 *
 * {@link QuicSwarmCoordinator} is what programs use. {@link CoordinatorCore} is the same without the acting, for
 * simulations.
 */
export { QuicSwarmCoordinator } from './shell/coordinator.ts';
export type {
  CoordinatorDrainOptions,
  CoordinatorNotice,
  CoordinatorOptions,
} from './shell/options.ts';
export { DEFAULT_CORE_OPTIONS, type CoreOptions } from './core/options.ts';
export { CoordinatorCore } from './core/coordinator.ts';
export type { CoordinatorEffect } from './core/effects.ts';
export type { CoordinatorEvent } from './core/events.ts';
export type { JournalRecord } from './core/journal-records.ts';
export { validate } from './core/validate.ts';
export { deadLetterRows } from './core/status.ts';
// What a recording tells afterwards.
export { readRecording } from './shell/event-recorder.ts';
export { Replay, type StoryLine } from './core/replay.ts';
