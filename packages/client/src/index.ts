/**
 * The SDK: connect to a coordinator, submit tasks, hear how they go.
 *
 * `connect` gives a {@link SwarmClient}, its `submit` a {@link TaskHandle}. What a lost connection, a mute coordinator
 * or a failed task does to them is said in the package's README.
 */
export { connect, SwarmClient, type CustomTaskType, type DeadLetters } from './shell/client.ts';
export { TaskHandle } from './shell/task-handle.ts';
export type { TaskOutcome, TaskProgress } from './shell/task-mirror.ts';
export type { MapFailure, MapItem, MapSuccess } from './shell/map.ts';
export type {
  AttachOptions,
  CancelOptions,
  ClientOptions,
  DeadLetterQuery,
  KnownOutcome,
  LearnOptions,
  MapOptions,
  ReasoningQuery,
  ReplayOptions,
  SubmitOptions,
  TaskQuery,
  TaskReference,
} from './shell/options.ts';
export type { ReasoningViews } from './shell/learning.ts';
export type { ClientEvent } from './shell/driver.ts';
export {
  datasetIdOf,
  type Columns,
  type DatasetContent,
  type DatasetReference,
  type PutDatasetOptions,
  type TableReference,
} from './shell/datasets.ts';
export { newTaskId } from './task-id.ts';
// What a program that uses the SDK handles anyway, so that it needs no second dependency.
export { SwarmError, isSwarmError } from '@quic-swarm/protocol';
/** The client's decisions without the acting, for simulations. */
export { Session, type SessionOptions } from './core/session.ts';
export type { RequestMessage, SessionEffect, SessionEvent } from './core/events.ts';
