/** Counts what happened, by watching effects and messages. Nobody else counts. */
import { toFailure, type AgentRow, type Message, type StatusSummary } from '@quic-swarm/protocol';
import type { CoordinatorEffect } from '../core/effects.ts';
import { DurationHistogram } from './duration-histogram.ts';

type Work = AgentRow['work'];
type Percentiles = Work['compute'];

/** Names with a counter of their own, and the name that the others share. */
const NAMES_MAX = 250;
const OTHER = 'other';

class WorkCounter {
  succeeded = 0;
  failed = 0;
  cancelled = 0;
  timedOut = 0;
  retried = 0;
  readonly compute: DurationHistogram = new DurationHistogram();
  readonly total: DurationHistogram = new DurationHistogram();

  summary(): Work {
    const decided = this.succeeded + this.failed + this.timedOut;
    return {
      succeeded: this.succeeded,
      failed: this.failed,
      cancelled: this.cancelled,
      timedOut: this.timedOut,
      retried: this.retried,
      ...(decided === 0 ? {} : { successRate: this.succeeded / decided }),
      compute: percentilesOf(this.compute),
      total: percentilesOf(this.total),
    };
  }
}

/** What an agent has done that has done nothing. */
const NO_WORK = new WorkCounter();

/** The counters of one coordinator. */
export class Statistics {
  readonly #byTaskType = new Map<string, WorkCounter>();
  readonly #byAgent = new Map<string, WorkCounter>();
  readonly #errors = new Map<string, number>();
  readonly #messages = new Map<string, number>();
  submitted = 0;
  staleCompletions = 0;
  messagesReceived = 0;
  messagesSent = 0;
  connectionsAccepted = 0;

  noteReceived(type: string): void {
    this.messagesReceived += 1;
    increment(this.#messages, type);
  }

  noteSent(type: string): void {
    this.messagesSent += 1;
    increment(this.#messages, type);
  }

  noteError(type: string): void {
    // Types that a handler's errors bring along are not ours to bound in number, so the rest is counted together.
    increment(this.#errors, this.#errors.size < 200 || this.#errors.has(type) ? type : 'OTHER');
  }

  /** The answer to a request that failed; counts the error. */
  errorReport(requestId: number, error: unknown): Message {
    const { stack: _local, ...failure } = toFailure(error, 'INTERNAL');
    this.noteError(failure.type);
    return { type: 'ErrorReport', body: { requestId, failure } };
  }

  observe(effect: CoordinatorEffect): void {
    switch (effect.type) {
      case 'TaskAccepted':
        this.submitted += 1;
        break;
      case 'AttemptEnded':
        this.#attemptEnded(effect);
        break;
      case 'TaskEnded':
        this.#taskEnded(effect);
        break;
      case 'StaleCompletionDropped':
        this.staleCompletions += 1;
        break;
      case 'Refused':
        this.noteError(effect.failure.type);
        break;
      case 'AgentChanged':
        // A new agent of the same name starts afresh; without this the map would grow with every name ever used.
        if (effect.change === 'left') this.#byAgent.delete(effect.agentId);
        break;
      default:
    }
  }

  /** What one agent did since it joined. */
  ofAgent(agentId: string): Work {
    return (this.#byAgent.get(agentId) ?? NO_WORK).summary();
  }

  byTaskType(): StatusSummary['byTaskType'] {
    return Object.fromEntries([...this.#byTaskType].map(([type, work]) => [type, work.summary()]));
  }

  errorsByType(): Record<string, number> {
    return Object.fromEntries(this.#errors);
  }

  messagesByType(): Record<string, number> {
    return Object.fromEntries(this.#messages);
  }

  #attemptEnded(effect: Extract<CoordinatorEffect, { type: 'AttemptEnded' }>): void {
    const work = counterOf(this.#byAgent, effect.agentId);
    if (effect.failure !== undefined) this.noteError(effect.failure.type);
    if (effect.outcome === 'succeeded') {
      work.succeeded += 1;
      work.compute.record(effect.computeMs);
    } else if (effect.outcome === 'cancelled') {
      work.cancelled += 1;
    } else if (effect.outcome === 'timed_out') {
      work.timedOut += 1;
    } else if (effect.outcome !== 'returned') {
      work.failed += 1;
    }
    if (effect.isRetry) work.retried += 1;
  }

  #taskEnded(effect: Extract<CoordinatorEffect, { type: 'TaskEnded' }>): void {
    const work = counterOf(this.#byTaskType, effect.taskType);
    if (effect.state === 'succeeded') work.succeeded += 1;
    else if (effect.state === 'failed') work.failed += 1;
    else if (effect.state === 'cancelled') work.cancelled += 1;
    else work.timedOut += 1;
    work.retried += effect.retries;
    work.total.record(effect.totalMs);
    if (effect.state === 'succeeded') {
      work.compute.record(effect.computeMs);
      const { agentId } = effect;
      if (agentId !== undefined) counterOf(this.#byAgent, agentId).total.record(effect.totalMs);
    }
  }
}

function counterOf(counters: Map<string, WorkCounter>, name: string): WorkCounter {
  const known = counters.get(name);
  if (known !== undefined) return known;
  // The protocol's maps hold 256 entries; names beyond that share one counter.
  if (counters.size >= NAMES_MAX && name !== OTHER) return counterOf(counters, OTHER);
  const counter = new WorkCounter();
  counters.set(name, counter);
  return counter;
}

function percentilesOf(histogram: DurationHistogram): Percentiles {
  return {
    p50Ms: histogram.percentileMs(50),
    p90Ms: histogram.percentileMs(90),
    p99Ms: histogram.percentileMs(99),
    maxMs: histogram.maxMs,
  };
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
