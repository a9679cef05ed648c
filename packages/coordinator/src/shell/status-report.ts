/** Builds the status views from what the core knows and what the statistics counted. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import {
  PROTOCOL_MAX,
  SwarmError,
  type AgentRow,
  type QueryStatus,
  type StatusReport,
  type StatusSummary,
} from '@quic-swarm/protocol';
import type { CoreState } from '../core/state.ts';
import { agentRow, countTasks, deadLetterRows, taskRow, taskRows } from '../core/status.ts';
import { notFound } from '../core/submissions.ts';
import type { Peer } from './peer.ts';
import type { Statistics } from './statistics.ts';

/** What the views are made of. */
export interface StatusSources {
  readonly core: CoreState;
  readonly statistics: Statistics;
  readonly peers: ReadonlyMap<string, Peer>;
  readonly software: string;
  readonly address: string;
  readonly startedAtMs: number;
  /** Bytes of connections that have ended. */
  readonly endedBytes: { received: number; sent: number };
  readonly experiences: () => { recorded: number; resolved: number };
}

const DEFAULT_ROWS = 100;

/** Answers one query at a time. */
export class StatusReporter {
  readonly #sources: StatusSources;
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 20 });

  constructor(sources: StatusSources) {
    this.#sources = sources;
    this.#loopDelay.enable();
  }

  stop(): void {
    this.#loopDelay.disable();
  }

  /** The view asked for; throws TASK_NOT_FOUND. */
  answer(query: Omit<QueryStatus, 'requestId'>, requestId: number, nowMs: number): StatusReport {
    const { core } = this.#sources;
    const { view } = query;
    switch (view) {
      case 'summary':
        return { requestId, view, summary: this.summary(nowMs) };
      case 'agents':
        return { requestId, view, agents: this.agents(nowMs), rowsInAll: core.agents.size };
      case 'tasks': {
        const { rows, rowsInAll } = taskRows(
          core,
          query.states,
          query.limit ?? DEFAULT_ROWS,
          nowMs,
        );
        return { requestId, view, tasks: rows, rowsInAll };
      }
      case 'deadLetters': {
        const { rows, rowsInAll } = deadLetterRows(core, query.limit ?? DEFAULT_ROWS, nowMs);
        return { requestId, view, tasks: rows, rowsInAll };
      }
      case 'task': {
        const task = core.tasks.get(query.taskId ?? '');
        if (task === undefined) {
          throw SwarmError.fromFailure(notFound(query.taskId ?? '(no id given)'));
        }
        return { requestId, view, tasks: [taskRow(core, task, nowMs, true)], rowsInAll: 1 };
      }
    }
  }

  agents(nowMs: number): AgentRow[] {
    const { core, statistics, peers } = this.#sources;
    return [...core.agents.values()].slice(0, 1000).map((agent) => ({
      ...agentRow(agent, nowMs),
      roundTripMs: peers.get(agent.connectionId ?? '')?.connection.statistics().roundTripMs ?? 0,
      work: statistics.ofAgent(agent.agentId),
    }));
  }

  summary(nowMs: number): StatusSummary {
    const { core, statistics, peers, endedBytes, startedAtMs } = this.#sources;
    const bytes = { ...endedBytes };
    let handshaking = 0;
    for (const { connection, role } of peers.values()) {
      const { bytesReceived, bytesSent } = connection.statistics();
      bytes.received += bytesReceived;
      bytes.sent += bytesSent;
      if (role === undefined) handshaking += 1;
    }
    const eventLoopLagMs = Number.isFinite(this.#loopDelay.max) ? this.#loopDelay.max / 1e6 : 0;
    this.#loopDelay.reset();
    return {
      software: this.#sources.software,
      protocol: PROTOCOL_MAX,
      epoch: core.options.epoch,
      uptimeMs: nowMs - startedAtMs,
      address: this.#sources.address,
      memoryBytes: process.memoryUsage.rss(),
      eventLoopLagMs: Math.max(0, eventLoopLagMs),
      connections: {
        agents: core.agentByConnection.size,
        clients: core.clients.size,
        handshaking,
        acceptedInAll: statistics.connectionsAccepted,
      },
      messages: {
        received: statistics.messagesReceived,
        sent: statistics.messagesSent,
        byType: statistics.messagesByType(),
      },
      bytes,
      errorsByType: statistics.errorsByType(),
      tasks: {
        submitted: statistics.submitted,
        ...countTasks(core, nowMs),
        staleCompletions: statistics.staleCompletions,
        deadLetters: core.deadLetters.size,
      },
      byTaskType: statistics.byTaskType(),
      datasets: { count: core.datasets.size, bytes: core.datasetBytes },
      ...journalOf(core),
      experiences: this.#sources.experiences(),
    };
  }
}

/** Of a coordinator with durable tasks. */
function journalOf({ options, journal, unclaimed }: CoreState): Pick<StatusSummary, 'journal'> {
  if (!options.features.includes('durable')) return {};
  const { recordsSinceSnapshot, failure } = journal;
  const failed = failure === undefined ? {} : { failure };
  return { journal: { recordsSinceSnapshot, unclaimed: unclaimed.size, ...failed } };
}
