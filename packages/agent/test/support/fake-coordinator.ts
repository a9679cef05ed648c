/** A coordinator that says what a test tells it to and writes down what it hears. */
import { createHash } from 'node:crypto';
import {
  MessageReader,
  TABLE_MEDIA_TYPE,
  decodeDocument,
  encodeDocument,
  failure,
  framesOf,
  needsOwnStream,
  type AgentAck,
  type AgentTask,
  type Lease,
  type Message,
  type PayloadEncoding,
  type MessageOf,
  type MessageType,
} from '@quic-swarm/protocol';
import type { Connection, Listener, Stream, Transport } from '@quic-swarm/transport';

interface Waiter {
  readonly matches: (message: Message) => boolean;
  readonly resolve: (message: Message) => void;
}

export interface Dispatch {
  readonly taskId?: string;
  readonly attempt?: number;
  readonly input?: unknown;
  readonly datasets?: string[];
  readonly startToCloseMs?: number;
  readonly arm?: AgentTask['arm'];
  /** Sent instead of the input, as it is. */
  readonly encoded?: { readonly payload: Uint8Array; readonly payloadEncoding: PayloadEncoding };
}

/** One agent's connection as the coordinator sees it. */
export class FakePeer {
  readonly connection: Connection;
  readonly heard: Message[] = [];
  /** Messages that came on streams of their own. */
  readonly heardAlone: Message[] = [];
  readonly #coordinator: FakeCoordinator;
  readonly #waiters: Waiter[] = [];
  #control: Stream | undefined;
  readonly #dispatch: Promise<Stream>;
  #onDispatch: (stream: Stream) => void = () => {};
  #sequence = 0;

  constructor(coordinator: FakeCoordinator, connection: Connection) {
    this.#coordinator = coordinator;
    this.connection = connection;
    this.#dispatch = new Promise((resolve) => {
      this.#onDispatch = resolve;
    });
    let isFirst = true;
    connection.onStream = (stream) => {
      if (isFirst) {
        this.#control = stream;
        this.#read(stream, true);
      } else this.#read(stream, false);
      isFirst = false;
    };
  }

  /** Resolves with the next message of this type that fits, heard already or later. Each is handed out once. */
  async next<T extends MessageType>(
    type: T,
    fits: (body: MessageOf<T>['body']) => boolean = () => true,
  ): Promise<MessageOf<T>['body']> {
    const matches = (message: Message): boolean =>
      message.type === type && fits((message as MessageOf<T>).body);
    const index = this.heard.findIndex(matches);
    const [known] = index < 0 ? [] : this.heard.splice(index, 1);
    const found =
      known ??
      (await new Promise<Message>((resolve) => {
        this.#waiters.push({ matches, resolve });
      }));
    return (found as MessageOf<T>).body;
  }

  control(message: Message): void {
    for (const frame of framesOf(message)) this.#control?.write(frame);
  }

  /** Sends a task, on a stream of its own when its input is long. */
  async dispatch(taskType: string, options: Dispatch = {}): Promise<Lease> {
    const { taskId = this.#coordinator.newTaskId(), attempt = 1, input, ...rest } = options;
    const lease: Lease = { epoch: this.#coordinator.epoch, taskId, attempt };
    const body: AgentTask = {
      ...lease,
      dispatchSequence: (this.#sequence += 1),
      taskType,
      datasets: rest.datasets ?? [],
      startToCloseMs: rest.startToCloseMs ?? 60_000,
      ...(rest.arm === undefined ? {} : { arm: rest.arm }),
      ...(input === undefined ? {} : { payload: encodeDocument(input) }),
      ...rest.encoded,
    };
    await this.say({ type: 'AgentTask', body });
    return lease;
  }

  /** Says something on the dispatch stream. */
  async say(message: Message): Promise<void> {
    if (!needsOwnStream(message)) {
      const dispatch = await this.#dispatch;
      for (const frame of framesOf(message)) dispatch.write(frame);
      return;
    }
    const stream = await this.connection.openStream({ urgency: 200 });
    stream.onData = () => {};
    const opening: Message = { type: 'StreamOpen', body: { purpose: 'task' } };
    for (const frame of framesOf(opening)) stream.write(frame);
    for (const frame of framesOf(message)) if (!stream.write(frame)) await stream.drained();
    stream.end();
  }

  /** Waits for the end of a task and acknowledges it. */
  async completion(lease: Lease): Promise<MessageOf<'TaskCompletion'>['body']> {
    const body = await this.next(
      'TaskCompletion',
      ({ taskId, attempt }) => taskId === lease.taskId && attempt === lease.attempt,
    );
    await this.say({ type: 'MessageAck', body: { lease, status: 'PROCESSED' } });
    return body;
  }

  /** The result of a task, decoded; throws when it did not succeed. */
  async result(lease: Lease): Promise<unknown> {
    const { outcome, failure, payload } = await this.completion(lease);
    if (outcome !== 'succeeded') throw new Error(`${outcome}: ${JSON.stringify(failure)}`);
    return payload === undefined ? undefined : decodeDocument(payload);
  }

  #read(stream: Stream, isControl: boolean): void {
    let purpose: string | undefined = isControl ? 'control' : undefined;
    const reader = new MessageReader({
      onMessage: (message) => {
        if (message.type === 'StreamOpen') {
          ({ purpose } = message.body);
          if (purpose === 'dispatch') this.#onDispatch(stream);
          if (purpose === 'task') stream.end();
          return;
        }
        if (purpose === 'dataset') {
          void this.#serveDataset(stream, message);
          return;
        }
        if (purpose === 'task') this.heardAlone.push(message);
        this.#hear(message);
      },
    });
    stream.onData = (bytes) => reader.push(bytes);
    stream.onError = () => {};
  }

  #hear(message: Message): void {
    if (message.type === 'AgentHandshake') this.#coordinator.answerHandshake(this, message.body);
    if (message.type === 'HeartbeatMessage' && this.#coordinator.answersHeartbeats) {
      this.control({ type: 'HeartbeatAck', body: { sequence: message.body.sequence } });
    }
    const index = this.#waiters.findIndex(({ matches }) => matches(message));
    const [waiter] = index < 0 ? [] : this.#waiters.splice(index, 1);
    if (waiter === undefined) this.heard.push(message);
    else waiter.resolve(message);
  }

  async #serveDataset(stream: Stream, message: Message): Promise<void> {
    if (message.type !== 'GetDataset') return;
    const { datasetId, requestId } = message.body;
    this.#coordinator.fetches.push(datasetId);
    const payload = this.#coordinator.datasets.get(datasetId);
    const payloadEncoding = this.#coordinator.encodings.get(datasetId);
    const answer: Message =
      payload === undefined
        ? {
            type: 'ErrorReport',
            body: { requestId, failure: failure('DATASET_NOT_FOUND', `No ${datasetId}.`) },
          }
        : {
            type: 'Dataset',
            body: {
              requestId,
              datasetId,
              mediaType: TABLE_MEDIA_TYPE,
              payload,
              ...(payloadEncoding === undefined ? {} : { payloadEncoding }),
            },
          };
    try {
      for (const frame of framesOf(answer)) if (!stream.write(frame)) await stream.drained();
      stream.end();
    } catch {
      // The agent did not want it: the test will tell why.
    }
  }
}

export class FakeCoordinator {
  readonly epoch = 7;
  readonly datasets: Map<string, Uint8Array> = new Map();
  /** How the bytes of some of them are encoded. */
  readonly encodings: Map<string, PayloadEncoding> = new Map();
  /** The data sets that were asked for, in order. */
  readonly fetches: string[] = [];
  answersHeartbeats = true;
  /** What the next acknowledgements say instead of the usual. */
  ack: Partial<AgentAck> = {};
  /** Refuses handshakes with this. */
  refusal: MessageOf<'ErrorReport'>['body']['failure'] | undefined;
  readonly #peers: FakePeer[] = [];
  readonly #waiting: ((peer: FakePeer) => void)[] = [];
  #listener: Listener | undefined;
  #tasks = 0;

  static async start(transport: Transport): Promise<FakeCoordinator> {
    const coordinator = new FakeCoordinator();
    coordinator.#listener = await transport.listen({
      address: { host: '127.0.0.1', port: 5000 },
      onConnection: (connection) => {
        const peer = new FakePeer(coordinator, connection);
        const waiter = coordinator.#waiting.shift();
        if (waiter === undefined) coordinator.#peers.push(peer);
        else waiter(peer);
      },
    });
    return coordinator;
  }

  /** The next agent that connects, or has connected. */
  async peer(): Promise<FakePeer> {
    const known = this.#peers.shift();
    if (known !== undefined) return known;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  answerHandshake(peer: FakePeer, { heldLeases }: MessageOf<'AgentHandshake'>['body']): void {
    if (this.refusal !== undefined) {
      peer.control({ type: 'ErrorReport', body: { failure: this.refusal } });
      return;
    }
    const body: AgentAck = {
      protocol: 1,
      sessionToken: 'token',
      epoch: this.epoch,
      heartbeatIntervalMs: 50,
      heartbeatTimeoutMs: 10_000,
      reconnectGraceMs: 10_000,
      streams: ['dispatch'],
      grants: { payloadBytesMax: 2 ** 28, datasetBytesMax: 2 ** 30, streamsMax: 100 },
      features: [],
      resumedLeases: heldLeases,
      ...this.ack,
    };
    peer.control({ type: 'AgentAck', body });
  }

  /** Keeps bytes under their hash. */
  addDataset(bytes: Uint8Array): string {
    const datasetId = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    this.datasets.set(datasetId, bytes);
    return datasetId;
  }

  newTaskId(): string {
    this.#tasks += 1;
    return `00000000-0000-7000-8000-${String(this.#tasks).padStart(12, '0')}`;
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }
}
