/** The client: what a program that wants tasks computed holds. */
import {
  PROTOCOL_MAX,
  PROTOCOL_MIN,
  SwarmError,
  type AgentRow,
  type BuiltInTaskType,
  type InputOf,
  type MessageOf,
  type ReasoningExperience,
  type ResultOf,
  type StatusSummary,
  type TaskRow,
  type AGENT_ACTIONS,
  checkMessage,
} from '@quic-swarm/protocol';
import {
  compressionModeOf,
  parseAddress,
  transportTo,
  type ConnectionStatistics,
} from '@quic-swarm/transport';
import type { RequestMessage } from '../core/events.ts';
import {
  Datasets,
  type Columns,
  type DatasetContent,
  type DatasetReference,
  type PutDatasetOptions,
  type TableReference,
} from './datasets.ts';
import { Driver } from './driver.ts';
import { MapRun, type MapItem, type MapSuccess } from './map.ts';
import type {
  AttachOptions,
  CancelOptions,
  ClientOptions,
  DeadLetterQuery,
  KnownOutcome,
  MapOptions,
  ReasoningQuery,
  ReplayOptions,
  SubmitOptions,
  TaskQuery,
} from './options.ts';
import { Learning, type ReasoningViews } from './learning.ts';
import { NO_OPTIONS } from './submission.ts';
import type { TaskHandle } from './task-handle.ts';
import type { Submitter } from './submit-request.ts';
import { Tasks, heard } from './tasks.ts';

/** What `deadLetters` answers. */
export interface DeadLetters {
  readonly rows: readonly TaskRow[];
  /** Dead letters that there are, which may be more than were asked for. */
  readonly rowsInAll: number;
}

/** A task type of a user's own; `never` for the built-in ones, whose inputs and results are known. */
export type CustomTaskType<T extends string> = T extends BuiltInTaskType ? never : T;

type Inputs<Input> = Iterable<Input> | AsyncIterable<Input>;
type Yielding = MapOptions & { readonly onFailure: 'yield' };
type Throwing = MapOptions & { readonly onFailure?: 'throw' | undefined };

/**
 * Connects to a coordinator: `connect('127.0.0.1:5000')`. Resolves when the coordinator has acknowledged.
 * @throws CONNECT_FAILED after `timeoutMs`, BAD_CERTIFICATE, VERSION_MISMATCH, BAD_ADDRESS, BAD_OPTION
 */
export async function connect(options: string | ClientOptions): Promise<SwarmClient> {
  const given = typeof options === 'string' ? { address: options } : options;
  const { address: place, name = 'client', security, requestTimeoutMs = 5000 } = given;
  const address = typeof place === 'string' ? parseAddress(place) : place;
  const body = { protocolMin: PROTOCOL_MIN, protocolMax: PROTOCOL_MAX, clientName: name };
  checkMessage({ type: 'ClientHandshake', body }, 'BAD_OPTION');
  const { unreadChunksMax = 1024, unreadChunkBytesMax = 64 * 2 ** 20 } = given;
  const { pendingRequestsMax = 10_000, pendingBytesMax = 64 * 2 ** 20 } = given;
  const driver = new Driver({
    transport: given.transport ?? transportTo(address, security ?? {}),
    address,
    clientName: name,
    timeoutMs: given.timeoutMs ?? 3000,
    giveUpAfterMs: given.giveUpAfterMs ?? 60_000,
    compression: compressionModeOf(given.compression),
    pending: { requestsMax: pendingRequestsMax, bytesMax: pendingBytesMax },
    unread: { chunksMax: unreadChunksMax, bytesMax: unreadChunkBytesMax },
    onEvent: given.onEvent ?? (() => {}),
  });
  await driver.start();
  return new SwarmClient(driver, requestTimeoutMs);
}

/**
 * A connection to a coordinator that restores itself. Submissions and questions made while it is interrupted wait for
 * it. All promises reject with a `SwarmError`.
 */
export class SwarmClient {
  readonly #driver: Driver;
  readonly #tasks: Tasks;
  readonly #datasets: Datasets;
  readonly #learning: Learning;
  readonly #timeoutMs: number;

  /** Made by `connect`. */
  constructor(driver: Driver, requestTimeoutMs: number) {
    this.#driver = driver;
    this.#timeoutMs = requestTimeoutMs;
    const datasets = new Datasets(driver, requestTimeoutMs);
    this.#datasets = datasets;
    this.#learning = new Learning(driver, datasets, requestTimeoutMs);
    this.#tasks = new Tasks(driver, requestTimeoutMs, (id) => datasets.rowsOf(id));
  }

  /** False while the connection is interrupted and after `close`. */
  get isConnected(): boolean {
    return this.#driver.connection !== undefined;
  }

  /** Figures of the present connection; undefined while there is none. */
  get connectionStatistics(): ConnectionStatistics | undefined {
    return this.#driver.connection?.statistics();
  }

  /** The optional parts of the protocol that the coordinator offers; empty while there is no connection. */
  get features(): readonly string[] {
    return this.#driver.connection?.ack.features ?? [];
  }

  /**
   * Submits a task; resolves with its handle when the coordinator has accepted it.
   * @throws QUEUE_FULL (see `retryAfterMs`), BAD_INPUT, BAD_OPTION, PAYLOAD_TOO_LARGE, DATASET_NOT_FOUND,
   *   TASK_CANCELLED (signal), CONNECTION_LOST or CONNECT_FAILED when nothing was heard for `submitTimeoutMs`: the task
   *   may have been accepted then, and an `idempotencyKey` makes it safe to submit it again
   */
  submit<T extends BuiltInTaskType>(
    taskType: T,
    input: InputOf<T>,
    options?: SubmitOptions,
  ): Promise<TaskHandle<ResultOf<T>>>;
  submit<Result = unknown, Input = unknown, T extends string = string>(
    taskType: CustomTaskType<T>,
    input: NoInfer<Input>,
    options?: SubmitOptions,
  ): Promise<TaskHandle<Result>>;
  submit(
    taskType: string,
    input: unknown,
    options: SubmitOptions = NO_OPTIONS,
  ): Promise<TaskHandle> {
    return this.#tasks.submit(taskType, input, options);
  }

  /** Submits a task and resolves with its result. @throws what `submit` and `TaskHandle.result` throw */
  run<T extends BuiltInTaskType>(
    taskType: T,
    input: InputOf<T>,
    options?: SubmitOptions,
  ): Promise<ResultOf<T>>;
  run<Result = unknown, Input = unknown, T extends string = string>(
    taskType: CustomTaskType<T>,
    input: NoInfer<Input>,
    options?: SubmitOptions,
  ): Promise<Result>;
  run(taskType: string, input: unknown, options: SubmitOptions = NO_OPTIONS): Promise<unknown> {
    return this.#tasks.run(taskType, input, options);
  }

  /**
   * Submits one task per input and yields the results. At most `concurrency` tasks are unfinished at a time and inputs
   * are pulled only when there is room, so both may be endless. Refusals for want of room are waited out. Leaving the
   * loop early cancels what is in flight. An idempotencyKey would make all inputs one task and is refused.
   * @throws the error of the first task that fails (unless `onFailure: 'yield'`), the error of the inputs,
   *   TASK_CANCELLED (signal), BAD_OPTION
   */
  map<T extends BuiltInTaskType>(
    taskType: T,
    inputs: Inputs<InputOf<T>>,
    options: Yielding,
  ): AsyncGenerator<MapItem<ResultOf<T>>, void, undefined>;
  map<T extends BuiltInTaskType>(
    taskType: T,
    inputs: Inputs<InputOf<T>>,
    options?: Throwing,
  ): AsyncGenerator<MapSuccess<ResultOf<T>>, void, undefined>;
  map<Result = unknown, Input = unknown, T extends string = string>(
    taskType: CustomTaskType<T>,
    inputs: Inputs<Input>,
    options: Yielding,
  ): AsyncGenerator<MapItem<Result>, void, undefined>;
  map<Result = unknown, Input = unknown, T extends string = string>(
    taskType: CustomTaskType<T>,
    inputs: Inputs<Input>,
    options?: Throwing,
  ): AsyncGenerator<MapSuccess<Result>, void, undefined>;
  map(
    taskType: string,
    inputs: Inputs<unknown>,
    options: MapOptions = {},
  ): AsyncGenerator<MapItem, void, undefined> {
    const { concurrency = 64, ordered = true, onFailure = 'throw', signal, ...each } = options;
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      throw new SwarmError('BAD_OPTION', `concurrency is ${concurrency}; it must be 1 or more.`);
    }
    if (each.idempotencyKey !== undefined) {
      throw new SwarmError('BAD_OPTION', 'One idempotencyKey would make all inputs one task.');
    }
    const stop = new AbortController();
    const submitOptions = heard({ ...each, signal: stop.signal });
    const submit = (input: unknown, submitter: Submitter): void => {
      this.#tasks.start(taskType, input, submitOptions, submitter);
    };
    return new MapRun(inputs, { submit, stop, concurrency, ordered, onFailure, signal }).items();
  }

  /**
   * A handle of a task that was submitted before, by any client; resolves when the coordinator has said that it knows the
   * task. It behaves like that of the submission: one that has ended gives its result or its error at once, results of
   * built-in task types are read as such, and parts of the result are sent again from the first on. The coordinator knows
   * an ended task for ten minutes, and a durable one until some client has heard of its end, for a day at most.
   * @throws TASK_NOT_FOUND, BAD_OPTION (no task id), CONNECTION_LOST or CONNECT_FAILED when nothing was heard for
   *   `requestTimeoutMs`
   */
  async attach<Result = unknown>(
    taskId: string,
    options: AttachOptions = {},
  ): Promise<TaskHandle<Result>> {
    return (await this.#tasks.attach(taskId, options)) as TaskHandle<Result>;
  }

  /** Cancels a task by its id; resolves when the coordinator has noted it. Idempotent. @throws TASK_NOT_FOUND */
  async cancel(taskId: string, options: string | CancelOptions = {}): Promise<void> {
    await this.#tasks.cancel(taskId, typeof options === 'string' ? { reason: options } : options);
  }

  /**
   * Uploads columns of numbers as one table, unless the coordinator has it; tasks refer to it as
   * `{ datasetId, column, start?, end? }`. The client keeps no copy.
   * @throws BAD_INPUT (columns of unequal length), PAYLOAD_TOO_LARGE, DATASETS_FULL, CONNECTION_LOST
   */
  async putTable(
    columns: Columns,
    options: { readonly name?: string } = {},
  ): Promise<TableReference> {
    return this.#datasets.putTable(columns, options.name);
  }

  /** Uploads bytes, unless the coordinator has them. Do not change them before this resolves. Throws like `putTable`. */
  async putDataset(bytes: Uint8Array, options: PutDatasetOptions = {}): Promise<DatasetReference> {
    return this.#datasets.put(bytes, options);
  }

  /** Fetches a data set and checks its hash. @throws DATASET_NOT_FOUND, DATASET_CORRUPT */
  async getDataset(datasetId: string): Promise<DatasetContent> {
    return this.#datasets.get(datasetId);
  }

  /** The coordinator as a whole. */
  async status(): Promise<StatusSummary> {
    const { summary } = await this.#query({ view: 'summary' });
    if (summary === undefined) throw noView('summary');
    return summary;
  }

  /** All agents that the coordinator knows, at most 1000. */
  async agents(): Promise<readonly AgentRow[]> {
    return (await this.#query({ view: 'agents' })).agents ?? [];
  }

  /** Tasks, newest first. */
  async tasks(query: TaskQuery = {}): Promise<readonly TaskRow[]> {
    const { states, limit } = query;
    const { tasks } = await this.#query({
      view: 'tasks',
      ...(states === undefined ? {} : { states: [...states] }),
      ...(limit === undefined ? {} : { limit }),
    });
    return tasks ?? [];
  }

  /** One task: where it is and why it does not run. @throws TASK_NOT_FOUND */
  async task(taskId: string): Promise<TaskRow> {
    const { tasks } = await this.#query({ view: 'task', taskId });
    const row = tasks?.[0];
    if (row !== undefined) return row;
    throw new SwarmError('TASK_NOT_FOUND', `The coordinator knows no task ${taskId}.`);
  }

  /** Tasks that failed although they were tried as often as they may be, newest first, and how many there are in all. */
  async deadLetters({ limit }: DeadLetterQuery = {}): Promise<DeadLetters> {
    const { tasks = [], rowsInAll = tasks.length } = await this.#query({
      view: 'deadLetters',
      ...(limit === undefined ? {} : { limit }),
    });
    return { rows: tasks, rowsInAll };
  }

  /**
   * Submits a dead letter again, with the same input and options but for its time limits and idempotency key, under a new
   * id; resolves with the handle of the new task when the coordinator has accepted it. The dead letter is gone then.
   * @throws TASK_NOT_FOUND (no such dead letter), and what `submit` throws. After CONNECTION_LOST or CONNECT_FAILED it may
   *   have been accepted: the new task names the dead letter as `replayOf`
   */
  async replayDeadLetter<Result = unknown>(
    taskId: string,
    options: ReplayOptions = {},
  ): Promise<TaskHandle<Result>> {
    return (await this.#tasks.replay(taskId, options)) as TaskHandle<Result>;
  }

  /** Forgets a dead letter and its input. @throws TASK_NOT_FOUND */
  async dropDeadLetter(taskId: string): Promise<void> {
    await this.#tasks.drop(taskId);
  }

  /**
   * Takes an agent out of service (`cordon`: nothing new; `drain`: finish and leave, at the latest after `deadlineMs`)
   * or back (`resume`). @throws AGENT_NOT_FOUND
   */
  async controlAgent(
    agentId: string,
    action: (typeof AGENT_ACTIONS)[number],
    options: { readonly deadlineMs?: number } = {},
  ): Promise<void> {
    const { deadlineMs = 30_000 } = options;
    const requestId = this.#driver.newRequestId();
    await this.#ask('MessageAck', {
      type: 'AgentControl',
      body: { requestId, agentId, action, deadlineMs },
    });
  }

  /**
   * Tells the coordinator how a decision turned out, for it to learn from. Resolves when the message is on its way:
   * there is no acknowledgement, and what is lost with a connection is lost.
   */
  async recordExperience(experience: ReasoningExperience): Promise<void> {
    const message = { type: 'ReasoningExperience', body: experience } as const;
    checkMessage(message, 'BAD_OPTION');
    (await this.#driver.connected(this.#timeoutMs)).send(message);
  }

  /**
   * Tells how a task turned out that was submitted with `learn`; resolves when the coordinator has noted it. Once for
   * each task, and only when it is known: what is told is learnt from at once.
   * @throws EXPERIENCE_NOT_FOUND (nothing is to be learnt from this task, or it is forgotten), OUTCOME_EXISTS, BAD_OPTION,
   *   UNSUPPORTED_OPTION (a coordinator that does not learn)
   */
  async outcome(taskId: string, outcome: KnownOutcome): Promise<void> {
    await this.#learning.outcome(taskId, outcome);
  }

  /**
   * What was learnt: `types` (what about), `arms` (of one task type), `items` (in words), `agents` (what each has shown),
   * `explain` (why a task was given its parameters, or a task type has those that it has).
   * @throws EXPERIENCE_NOT_FOUND, TASK_NOT_FOUND, BAD_OPTION, UNSUPPORTED_OPTION
   */
  async reasoning<V extends keyof ReasoningViews>(
    view: V,
    query: ReasoningQuery = {},
  ): Promise<ReasoningViews[V]> {
    return this.#learning.view(view, query);
  }

  /** All that was learnt, for `importReasoning` of this coordinator or another. @throws UNSUPPORTED_OPTION */
  async exportReasoning(): Promise<Uint8Array> {
    return this.#learning.exportAll();
  }

  /** Adds what another coordinator has learnt. @throws BAD_INPUT (no export), UNSUPPORTED_OPTION, what `putDataset` throws */
  async importReasoning(bytes: Uint8Array): Promise<void> {
    await this.#learning.importAll(bytes);
  }

  /** Forgets what was learnt, of one task type or of all. @throws UNSUPPORTED_OPTION */
  async resetReasoning(options: { readonly taskType?: string | undefined } = {}): Promise<void> {
    await this.#learning.reset(options.taskType);
  }

  /**
   * Rejects everything that waits with CLOSED, says goodbye and frees the connection, so that the process can exit.
   * Accepted tasks go on unless they were submitted with `onClientLoss: 'cancel'`. Idempotent.
   */
  async close(): Promise<void> {
    await this.#driver.close();
  }

  /** The same as {@link SwarmClient.close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #query(
    view: Omit<MessageOf<'QueryStatus'>['body'], 'requestId'>,
  ): Promise<MessageOf<'StatusReport'>['body']> {
    const requestId = this.#driver.newRequestId();
    return this.#ask('StatusReport', { type: 'QueryStatus', body: { requestId, ...view } });
  }

  async #ask<T extends 'MessageAck' | 'StatusReport'>(
    answerType: T,
    message: RequestMessage,
  ): Promise<MessageOf<T>['body']> {
    checkMessage(message, 'BAD_OPTION');
    return this.#driver.request(answerType, message, this.#timeoutMs);
  }
}

function noView(view: string): SwarmError {
  return new SwarmError('BAD_MESSAGE', `The coordinator sent a report without the ${view}.`);
}
