/**
 * The coordinator's decisions: `handle(event, nowMs)` takes what happened and returns what to do, in order;
 * `take(event, nowMs)` and `settle()` do the same for several events at once, and
 * `nextTimeoutMs()` says when it wants to be called with TimePassed. No clock, no I/O, no promises, no randomness but
 * a seeded generator: the same events at the same times give the same effects, which is what simulation and replay
 * live on.
 *
 * The parts: `agents.ts` (who computes), `submissions.ts` (who asks), `leasing.ts` and `task-flow.ts` (what happens to a
 * task), `shards.ts` (tasks in parts), `queue.ts` and `scheduler.ts` (who gets what), `watchers.ts` (who hears of it),
 * `durability.ts` and `restoring.ts` (what survives), `learning.ts` (which parameters are good), `datasets.ts`.
 */
import {
  decodedBytesOf,
  failure,
  type Failure,
  type Message,
  type MessageOf,
  type ResultChunk,
  type TaskCompletion,
} from '@quic-swarm/protocol';
import { leaseOf, removeLease, type Agent } from './agent-record.ts';
import * as agents from './agents.ts';
import type { CoreTimer } from './core-timer.ts';
import { noteHeld, storeDataset } from './datasets.ts';
import { controlDeadLetter, settleReplays } from './dead-letters.ts';
import { followDependencies } from './dependencies.ts';
import { sendAbout } from './durability.ts';
import type { CoordinatorEffect } from './effects.ts';
import type { ClientJoined, ConnectionEnded, CoordinatorEvent } from './events.ts';
import { followCopies, hedge } from './hedging.ts';
import type { JournalRecord } from './journal-records.ts';
import * as learning from './learning.ts';
import { dispatchAll, start, startWithEnd } from './leasing.ts';
import { heard } from './liveness.ts';
import { DEFAULT_CORE_OPTIONS, type CoreOptions } from './options.ts';
import { agentsFor } from './pending-reason.ts';
import { restore, takeRecords } from './restoring.ts';
import { acknowledge, forgetOldest } from './retention.ts';
import { finishMerged, followShards, shareBound } from './shards.ts';
import { CoreState, createClient, type Client } from './state.ts';
import { noteFreed, stealForFreed } from './stealing.ts';
import * as submissions from './submissions.ts';
import * as flow from './task-flow.ts';
import { imageOf } from './task-image.ts';
import { addChunk, chunksOf, outputOf, type AgentLease, type Task } from './task.ts';
import { announceChunk, announceProgress } from './watchers.ts';

const NOTHING: readonly CoordinatorEffect[] = [];

/** See the head of this file. */
export class CoordinatorCore {
  /** For status views, checks and tests; only the core changes it. */
  readonly state: CoreState;

  constructor(options: Partial<CoreOptions> = {}) {
    this.state = new CoreState({ ...DEFAULT_CORE_OPTIONS, ...options });
  }

  /** Tells the core what happened; returns what to do. `nowMs` must not go backwards. */
  handle(event: CoordinatorEvent, nowMs: number): readonly CoordinatorEffect[] {
    this.take(event, nowMs);
    return this.settle();
  }

  /**
   * Tells the core one of several things that happened together. Free places are given away, and what to do is told, by
   * the `settle()` after the last of them: looking once for many tasks costs less than once for each.
   */
  take(event: CoordinatorEvent, nowMs: number): void {
    if (nowMs > this.state.nowMs) this.state.nowMs = nowMs;
    this.#decide(event);
    follow(this.state);
  }

  /** Gives tasks to agents; returns what to do about everything since the last call. */
  settle(): readonly CoordinatorEffect[] {
    const core = this.state;
    dispatchAll(core);
    stealForFreed(core);
    submissions.announceQueued(core);
    wantSnapshot(core);
    if (core.effects.length === 0) return NOTHING;
    const { effects } = core;
    core.effects = [];
    return effects;
  }

  /** The durable tasks as they are: what TakeSnapshot wants written. Each is read when it is asked for. */
  *snapshot(): Generator<JournalRecord, void, undefined> {
    for (const task of this.state.tasks.slowly()) {
      if (task.durability !== undefined) yield imageOf(this.state, task);
    }
  }

  /** When TimePassed should come, on the clock of `nowMs`; undefined when nothing waits for time. */
  nextTimeoutMs(): number | undefined {
    return this.state.timers.nextMs;
  }

  /** True when nothing waits, is queued or runs that would be lost with this process. */
  get isIdle(): boolean {
    return this.state.pendingEphemeralTasks === 0;
  }

  #decide(event: CoordinatorEvent): void {
    const core = this.state;
    switch (event.type) {
      case 'AgentJoined':
        return agents.join(core, event);
      case 'ClientJoined':
        return joinClient(core, event);
      case 'DispatchStreamOpened':
        return openDispatch(core, event.connectionId);
      case 'MessageReceived':
        return receive(core, event.connectionId, event.message);
      case 'ConnectionEnded':
        return endConnection(core, event);
      case 'DatasetStored':
        return storeDataset(core, event.datasetId, event.bytes);
      case 'DatasetServed':
        return noteHeld(core, event.connectionId, event.datasetId);
      case 'ShardsMerged':
        return finishMerged(core, event);
      case 'JournalReplayed':
        return takeRecords(core, event.records);
      case 'JournalRestored':
        return restore(core, event.recordsSinceSnapshot ?? 0);
      case 'JournalCommitted':
        core.journal.commit(event.position, core.effects);
        return settleReplays(core);
      case 'JournalFailed':
        return submissions.takeBack(core, event.failure);
      case 'JournalReopened':
        core.effects.push({ type: 'TakeSnapshot', position: core.journal.reopen() });
        return undefined;
      case 'TimePassed':
        return passTime(core);
      case 'BankRestored':
        return core.bank.restore(event.snapshot);
      case 'BankImported':
        return core.bank.merge(event.snapshot);
      case 'DrainRequested':
        core.draining = true;
        return learning.dropShadows(core);
    }
  }
}

/** Asks for a snapshot when the next start would have much to read without it. */
function wantSnapshot(core: CoreState): void {
  const { journal, options, tasks } = core;
  const enough = Math.max(options.snapshotRecordsMin, tasks.size);
  if (journal.recordsSinceSnapshot < enough || journal.failure !== undefined) return;
  core.effects.push({ type: 'TakeSnapshot', position: journal.noteSnapshot() });
}

/** What has happened to some tasks moves others, until it moves none. */
function follow(core: CoreState): void {
  while (hasNews(core)) {
    followShards(core);
    followCopies(core);
    followDependencies(core);
    learning.followLearning(core);
  }
}

function hasNews(core: CoreState): boolean {
  const { shardNews, copyNews, dependencyNews, learningNews, endedShadows, endedJudgements } = core;
  return (
    shardNews.length > 0 ||
    copyNews.length > 0 ||
    dependencyNews.length > 0 ||
    learningNews.length > 0 ||
    endedShadows.length > 0 ||
    endedJudgements.length > 0
  );
}

function joinClient(core: CoreState, event: ClientJoined): void {
  const { connectionId, handshake, address, protocol, sessionToken } = event;
  const { clientName } = handshake;
  core.clients.set(connectionId, createClient(connectionId, clientName, address));
  core.send(connectionId, 'control', {
    type: 'ClientAck',
    body: {
      protocol,
      sessionToken,
      epoch: core.options.epoch,
      streams: ['client', 'task', 'dataset'],
      grants: agents.grantsOf(core),
      features: [...core.options.features],
    },
  });
}

function openDispatch(core: CoreState, connectionId: string): void {
  const agent = core.agentByConnection.get(connectionId);
  if (agent === undefined) return;
  agent.dispatchOpen = true;
  core.queue.availabilityChanged(agent);
}

function endConnection(core: CoreState, event: ConnectionEnded): void {
  const { connectionId, reason, hasExpired = false } = event;
  const agent = core.agentByConnection.get(connectionId);
  if (agent !== undefined && hasExpired) agents.awaitReturn(core, agent, reason);
  else if (agent !== undefined) agents.loseAgent(core, agent, reason);
  const client = core.clients.get(connectionId);
  if (client !== undefined) submissions.dropClient(core, client);
}

function receive(core: CoreState, connectionId: string, message: Message): void {
  const agent = core.agentByConnection.get(connectionId);
  if (agent !== undefined) {
    heard(core, agent);
    receiveFromAgent(core, agent, message);
    return;
  }
  const client = core.clients.get(connectionId);
  if (client !== undefined) receiveFromClient(core, client, message);
}

function receiveFromAgent(core: CoreState, agent: Agent, message: Message): void {
  switch (message.type) {
    case 'HeartbeatMessage':
      return agents.heartbeat(core, agent, message.body);
    case 'CapabilityUpdate':
      agent.capabilities = new Set(message.body.capabilities);
      return core.queue.capabilitiesChanged(agent);
    case 'CreditGrant':
      agent.credit = message.body.credit;
      noteFreed(core, agent);
      return core.queue.availabilityChanged(agent);
    case 'TaskStarted':
    case 'TaskProgress':
    case 'ResultChunk':
    case 'ShardBound':
      return receiveFromRunning(core, agent, message);
    case 'TaskCompletion':
      return receiveCompletion(core, agent, message.body);
    case 'LeaseReturn':
      return agents.returnLeases(core, agent, message.body.leases);
    case 'MessageAck':
      return receiveRejection(core, agent, message);
    case 'Drain':
      return agents.noteDraining(core, agent, message.body.reason);
    case 'Goodbye':
      return agents.leave(core, agent, message.body.reason);
    case 'ReasoningExperience':
      return learning.receiveExperience(core, message.body);
    case 'TunableOffer':
      return learning.offerTunables(core, agent, message.body);
    case 'AdaptationAck':
      return learning.noteAdaptation(core, agent, message.body);
    default:
      // Verdicts are for observers; nothing is decided by them here.
      return undefined;
  }
}

function receiveFromRunning(
  core: CoreState,
  agent: Agent,
  message:
    | MessageOf<'TaskStarted'>
    | MessageOf<'TaskProgress'>
    | MessageOf<'ResultChunk'>
    | MessageOf<'ShardBound'>,
): void {
  const { taskId, attempt, epoch } = message.body;
  const lease = leaseOf(agent, taskId, core.tasks.get(taskId));
  if (lease?.attempt !== attempt || lease.epoch !== epoch) return;
  const task = agents.taskOf(lease);
  if (task === undefined) return;
  if (message.type === 'TaskStarted') {
    start(core, task, lease);
  } else if (message.type === 'TaskProgress') {
    outputOf(task).fraction = message.body.fraction;
    announceProgress(core, task, message.body.fraction, message.body.text);
    if (task.shard !== undefined) core.shardNews.push(task);
  } else if (message.type === 'ShardBound') {
    if (task.shard !== undefined) shareBound(core, task.shard, lease, message.body.distance);
  } else {
    receiveChunk(core, agent, task, lease, message.body);
  }
}

function receiveChunk(
  core: CoreState,
  agent: Agent,
  task: Task,
  lease: AgentLease,
  body: ResultChunk,
): void {
  const { sequence, payload = new Uint8Array(0), payloadEncoding } = body;
  const bytes = decodedBytesOf(body);
  const { chunkSequences, chunkBytes, chunks } = outputOf(task);
  if (chunkSequences.has(sequence)) return;
  const { payloadBytesMax, chunksMax } = core.options;
  if (chunkBytes + bytes > payloadBytesMax || chunks.length >= chunksMax) {
    const bounds = `${chunksMax} parts of ${payloadBytesMax} bytes together`;
    flow.failNow(core, task, failure('PAYLOAD_TOO_LARGE', `The task sent more than ${bounds}.`));
    return;
  }
  const chunk = { sequence, payload, payloadEncoding };
  addChunk(task, chunk, bytes);
  announceChunk(core, task, chunk);
  if (lease.completion !== undefined) receiveCompletion(core, agent, lease.completion);
}

function receiveCompletion(core: CoreState, agent: Agent, completion: TaskCompletion): void {
  const { epoch, taskId, attempt } = completion;
  const lease = leaseOf(agent, taskId, core.tasks.get(taskId));
  const holds = lease?.attempt === attempt && lease.epoch === epoch;
  const task = holds ? agents.taskOf(lease) : undefined;
  if (holds && task !== undefined && chunksOf(task).length < completion.chunkCount) {
    // A long chunk travels on a stream of its own and may come after the end: the end waits for it.
    if (completion.outcome === 'succeeded') {
      lease.completion = completion;
      return;
    }
  }
  if (holds) {
    removeLease(agent, lease);
    core.queue.availabilityChanged(agent);
    noteFreed(core, agent);
  }
  const { connectionId = '' } = agent;
  const receipt = (status: 'STALE' | 'PROCESSED'): Message => ({
    type: 'MessageAck',
    body: { lease: { epoch, taskId, attempt }, status },
  });
  if (task === undefined) {
    core.send(connectionId, 'dispatch', receipt('STALE'));
    core.effects.push({ type: 'StaleCompletionDropped', taskId, agentId: agent.agentId, attempt });
    return;
  }
  if (lease !== undefined) startWithEnd(core, task, lease, completion.computeMs);
  flow.complete(core, task, agent, completion);
  // Until its receipt the agent keeps what it has computed, so that it is not lost with a coordinator that has not written
  // it down yet.
  sendAbout(core, task, connectionId, 'dispatch', receipt('PROCESSED'));
}

/** The agent did not take an AgentTask. A pause keeps the task from bouncing between the two. */
function receiveRejection(core: CoreState, agent: Agent, { body }: MessageOf<'MessageAck'>): void {
  if (body.status !== 'REJECTED' || body.lease === undefined) return;
  agents.returnLease(core, agent, body.lease, core.options.retry.initialIntervalMs);
}

function receiveFromClient(core: CoreState, client: Client, message: Message): void {
  switch (message.type) {
    case 'SubmitTask':
      return submissions.submit(core, client, message.body);
    case 'WatchTask':
      return submissions.startWatching(core, client, message.body);
    case 'CancelTask':
      return submissions.requestCancel(core, client, message.body);
    case 'MessageAck':
      return noteHeard(core, message);
    case 'ControlDeadLetter':
      return controlDeadLetter(core, client, message.body);
    case 'AgentControl':
      return controlAgent(core, client, message);
    case 'ReasoningExperience':
      return learning.receiveExperience(core, message.body);
    case 'TaskOutcome':
      return learning.receiveOutcome(core, client, message.body);
    case 'ControlReasoning':
      return learning.resetReasoning(core, client, message.body);
    default:
      return undefined;
  }
}

/** A client has heard of the end of a durable task. */
function noteHeard(core: CoreState, { body }: MessageOf<'MessageAck'>): void {
  const task = body.taskId === undefined ? undefined : core.tasks.get(body.taskId);
  if (task !== undefined && body.status === 'RECEIVED') acknowledge(core, task);
}

function controlAgent(core: CoreState, client: Client, { body }: MessageOf<'AgentControl'>): void {
  const { agentId, action, deadlineMs, requestId } = body;
  const agent = core.agents.get(agentId);
  if (agent?.connectionId === undefined) {
    const known = [...core.agents.keys()].join(', ') || 'none';
    core.refuse(
      client.connectionId,
      'control',
      requestId,
      failure('AGENT_NOT_FOUND', `No agent ${agentId} is connected; those that are: ${known}.`),
    );
    return;
  }
  agents.control(core, agent, action, deadlineMs);
  core.send(client.connectionId, 'control', {
    type: 'MessageAck',
    body: { requestId, status: 'PROCESSED' },
  });
}

function passTime(core: CoreState): void {
  for (;;) {
    const due = core.timers.takeDue(core.nowMs);
    if (due === undefined) break;
    fire(core, due);
  }
  forgetOldest(core);
}

function fire(core: CoreState, timer: CoreTimer): void {
  switch (timer.kind) {
    case 'liveness':
      return agents.loseIfSilent(core, timer.agent, timer.atMs);
    case 'session':
      if (timer.agent.connectionId === undefined) agents.giveUpSession(core, timer.agent);
      return undefined;
    case 'release':
      return flow.release(core, timer.task);
    case 'scheduleToStart':
      return flow.timeOut(core, timer.task, lateFailure(core, timer.task, 'START_TIMEOUT'));
    case 'scheduleToClose':
      return flow.timeOut(core, timer.task, lateFailure(core, timer.task, 'DEADLINE_PASSED'));
    case 'startToClose':
      return flow.overrun(core, timer.task);
    case 'hedge':
      return hedge(core, timer.task);
  }
}

/** Says what the task was waiting for, since that is what its submitter can change. */
function lateFailure(
  core: CoreState,
  task: Task,
  type: 'START_TIMEOUT' | 'DEADLINE_PASSED',
): Failure {
  const limit =
    type === 'START_TIMEOUT'
      ? 'was not started within scheduleToStartMs'
      : 'was not finished within scheduleToCloseMs';
  const { pendingReason } = agentsFor(core, task);
  const waiting = pendingReason === undefined ? '' : `; it was still queued: ${pendingReason}`;
  return failure(type, `The task ${limit}${waiting}.`);
}
