/** What the parts of the core share: the collections, the timers, the clock reading of the event in hand, and the effects so far. */
import {
  Chain,
  failure,
  type AdaptationSuggestion,
  type ErrorType,
  type Failure,
  type Message,
  type SwarmErrorOptions,
  type WatchLevel,
} from '@quic-swarm/protocol';
import type { Agent } from './agent-record.ts';
import type { AgentSet } from './agent-set.ts';
import { ReasoningBank } from '@quic-swarm/reasoning';
import { AttemptTimes } from './attempt-times.ts';
import type { CoreTimer } from './core-timer.ts';
import type { CoordinatorEffect } from './effects.ts';
import { Fifo } from './fifo.ts';
import { Journal } from './journal.ts';
import type { CoreOptions } from './options.ts';
import { TaskQueue } from './queue.ts';
import { SeededRandom } from './random.ts';
import type { RestoredTasks } from './restored-tasks.ts';
import { TaskIndex } from './task-index.ts';
import { defaultTerms } from './task-making.ts';
import type {
  FinishedAttempt,
  ReplayedDeadLetter,
  Submitter,
  Task,
  TaskTerms,
  Watcher,
} from './task.ts';
import { TimerHeap } from './timers.ts';
import type { WallClock } from './wall-clock.ts';

/** A connected client. */
export interface Client {
  readonly connectionId: string;
  readonly clientName: string;
  readonly address: string;
  /** Its part of the tasks that it submits, which may be there longer than itself. */
  readonly submitter: Submitter;
  /** Tasks without an end that are to be cancelled when it goes. */
  readonly cancelledWithIt: Set<Task>;
  /** The watchers of a task that only it watches, by level: one list for all such tasks. */
  readonly alone: Readonly<Record<WatchLevel, readonly Watcher[]>>;
}

/** The record of a client that has just connected. */
export function createClient(connectionId: string, clientName: string, address: string): Client {
  const alone = (level: WatchLevel): readonly Watcher[] => [{ connectionId, level }];
  return {
    connectionId,
    clientName,
    address,
    submitter: { connectionId, clientName },
    cancelledWithIt: new Set(),
    alone: { none: alone('none'), result: alone('result'), all: alone('all') },
  };
}

/** A data set that the shell holds. */
export interface DatasetRecord {
  readonly datasetId: string;
  readonly bytes: number;
  /** Tasks that are not final and refer to it. */
  users: number;
}

/** The state of one coordinator core. Only the parts of the core touch it. */
export class CoreState implements WallClock {
  readonly options: CoreOptions;
  readonly random: SeededRandom;
  readonly timers: TimerHeap<CoreTimer> = new TimerHeap();
  /** How tasks are treated unless they say otherwise. */
  readonly terms: TaskTerms;
  /** All that are known; those of earlier lives take the place of none, before anybody has joined. */
  tasks: TaskIndex;
  /** Final tasks, oldest first. */
  readonly finished: Fifo<Task> = new Fifo();
  /** Tasks accepted since places were last given away, whose clients hear of each state. */
  newlyQueued: Task[] = [];
  /** Shards that moved on, and tasks that are to be split or have ended; see shards.ts. */
  shardNews: Task[] = [];
  /** Durable ones whose end nobody has heard of, oldest first. */
  readonly unclaimed: Chain<Task> = new Chain();
  unclaimedBytes = 0;
  /** Tasks that failed for good after all tries, oldest first. */
  readonly deadLetters: Map<string, Task> = new Map();
  deadLetterBytes = 0;
  /** Those that were submitted again, by the id of the new task, until that is on disk: it may yet be taken back. */
  readonly replaying: Map<string, ReplayedDeadLetter> = new Map();
  /** Tasks that wait for another one to end, by its id. */
  readonly waitingFor: Map<string, Task[]> = new Map();
  /** Tasks that have ended and have something to do with others; see dependencies.ts. */
  dependencyNews: Task[] = [];
  /** What is on disk. */
  readonly journal: Journal = new Journal();
  /** Tasks that a journal told of, until all of it was read. */
  restoring: RestoredTasks | undefined;
  /** Tasks that have a second copy, or are one, and have ended; see hedging.ts. */
  copyNews: Task[] = [];
  readonly attemptTimes: AttemptTimes = new AttemptTimes();
  /** What was learnt, attempts that are to be learnt from, and replays with another arm; see learning.ts. */
  readonly bank: ReasoningBank = new ReasoningBank();
  learningNews: FinishedAttempt[] = [];
  readonly shadows: Set<Task> = new Set();
  endedShadows: Task[] = [];
  /** Tasks that judge whether an arm should be tried, and the task type that it is of; see judgements.ts. */
  readonly judgements: Map<string, string> = new Map();
  endedJudgements: Task[] = [];
  /** What agents of a task type were told to use, for those that come later. */
  readonly suggestions: Map<string, AdaptationSuggestion> = new Map();
  suggestionsMade = 0;
  /** Agents that may hold more leases than they compute, and those that became free since the last settling; see stealing.ts. */
  readonly crowded: Set<Agent> = new Set();
  readonly freed: Set<Agent> = new Set();
  readonly taskIdByKey: Map<string, string> = new Map();
  readonly queue: TaskQueue;
  readonly agents: Map<string, Agent> = new Map();
  readonly agentByConnection: Map<string, Agent> = new Map();
  readonly clients: Map<string, Client> = new Map();
  /** Least recently used first. */
  readonly datasets: Map<string, DatasetRecord> = new Map();
  /** Which agents have a data set in memory, as far as is known; no entry without any. */
  readonly holders: Map<string, AgentSet> = new Map();
  datasetBytes = 0;
  pendingTasks = 0;
  /** Of these, how many would be lost with this process. */
  pendingEphemeralTasks = 0;
  pendingBytes = 0;
  finishedBytes = 0;
  draining = false;
  #order = 0;
  nowMs = 0;
  effects: CoordinatorEffect[] = [];

  constructor(options: CoreOptions) {
    this.options = options;
    this.tasks = new TaskIndex(options.seed);
    this.terms = defaultTerms(options);
    this.random = new SeededRandom(options.seed);
    this.queue = new TaskQueue(options.priorityAgeingMs);
  }

  /** Numbers accepted tasks. */
  nextOrder(): number {
    this.#order += 1;
    return this.#order;
  }

  /** A task of an earlier life has this number: those to come are higher. */
  noteOrder(order: number): void {
    this.#order = Math.max(this.#order, order);
  }

  toWallMs(ms: number): number {
    return ms + this.options.wallOffsetMs;
  }

  fromWallMs(wallMs: number): number {
    return wallMs - this.options.wallOffsetMs;
  }

  send(connectionId: string, on: 'control' | 'dispatch' | 'client', message: Message): void {
    this.effects.push({ type: 'Send', connectionId, on, message });
  }

  /** Answers a request with an error and tells the observers. */
  refuse(connectionId: string, on: 'control' | 'client', requestId: number, reason: Failure): void {
    this.send(connectionId, on, { type: 'ErrorReport', body: { requestId, failure: reason } });
    this.effects.push({ type: 'Refused', connectionId, failure: reason });
  }

  /** Turns a peer away: an ErrorReport on the control stream, then the connection is closed with the error's code. */
  turnAway(
    connectionId: string,
    type: ErrorType,
    message: string,
    options?: SwarmErrorOptions,
  ): void {
    const reason = failure(type, message, options);
    this.send(connectionId, 'control', { type: 'ErrorReport', body: { failure: reason } });
    this.effects.push({ type: 'Refused', connectionId, failure: reason });
    this.effects.push({ type: 'Close', connectionId, errorType: type, message });
  }
}
