/** Which data sets are here, who needs them, and which one makes room for another. */
import { SwarmError } from '@quic-swarm/protocol';
import type { Agent } from './agent-record.ts';
import { AgentSet } from './agent-set.ts';
import type { CoreState, DatasetRecord } from './state.ts';
import type { Task } from './task.ts';

const NONE: readonly string[] = [];

/** A data set came in whole. Drops the least recently used ones that no task needs until all fit. */
export function storeDataset(core: CoreState, datasetId: string, bytes: number): void {
  if (core.datasets.has(datasetId)) return;
  core.datasets.set(datasetId, { datasetId, bytes, users: 0 });
  core.datasetBytes += bytes;
  for (const candidate of core.datasets.values()) {
    if (core.datasetBytes <= core.options.datasetsBytesMax) return;
    if (candidate.users > 0 || candidate.datasetId === datasetId) continue;
    core.datasets.delete(candidate.datasetId);
    core.datasetBytes -= candidate.bytes;
    dropHolders(core, candidate.datasetId);
    core.effects.push({ type: 'DropDataset', datasetId: candidate.datasetId });
  }
}

/** An agent has fetched a data set: tasks that need it are cheaper there from now on. */
export function noteHeld(core: CoreState, connectionId: string, datasetId: string): void {
  const agent = core.agentByConnection.get(connectionId);
  // It may have been dropped while it was on its way; then no task can ask for it.
  if (agent === undefined || !core.datasets.has(datasetId)) return;
  agent.datasets.add(datasetId);
  const holders = core.holders.get(datasetId) ?? new AgentSet();
  holders.add(agent);
  core.holders.set(datasetId, holders);
}

/** The agent is gone, and its memory with it. */
export function forgetHeld(core: CoreState, agent: Agent): void {
  for (const datasetId of agent.datasets) {
    const holders = core.holders.get(datasetId);
    holders?.forget(agent);
    if (holders?.size === 0) core.holders.delete(datasetId);
  }
  agent.datasets.clear();
}

/** No task can ask for it any more, so that nobody needs to know where it is. */
function dropHolders(core: CoreState, datasetId: string): void {
  const holders = core.holders.get(datasetId);
  if (holders === undefined) return;
  for (let place = 0; place < holders.size; place++) holders.at(place).datasets.delete(datasetId);
  core.holders.delete(datasetId);
}

/** Why a data set of this size could not be kept beside those that tasks need; undefined when it could. */
export function refuseDataset(core: CoreState, bytes: number): SwarmError | undefined {
  let inUse = 0;
  for (const { users, bytes: size } of core.datasets.values()) if (users > 0) inUse += size;
  if (inUse + bytes <= core.options.datasetsBytesMax) return undefined;
  return new SwarmError(
    'DATASETS_FULL',
    `A data set of ${bytes} bytes does not fit beside ${inUse} bytes that tasks need; the bound is ${core.options.datasetsBytesMax}.`,
    { hint: 'Wait for tasks to finish, or give the coordinator more room for data sets.' },
  );
}

/** Marks the data sets of an accepted task as needed; returns those that are not here. */
export function claimDatasets(core: CoreState, ids: readonly string[]): readonly string[] {
  if (ids.length === 0) return NONE;
  const missing = ids.filter((id) => !core.datasets.has(id));
  if (missing.length > 0) return missing;
  for (const id of ids) touch(core, core.datasets.get(id) as DatasetRecord).users += 1;
  return NONE;
}

/** The task is final and needs them no more. */
export function releaseDatasets(core: CoreState, task: Task): void {
  for (const id of task.datasets) {
    const dataset = core.datasets.get(id);
    if (dataset !== undefined) dataset.users -= 1;
  }
}

/** Moves a data set to the young end of the order in which they are dropped. */
function touch(core: CoreState, dataset: DatasetRecord): DatasetRecord {
  core.datasets.delete(dataset.datasetId);
  core.datasets.set(dataset.datasetId, dataset);
  return dataset;
}
