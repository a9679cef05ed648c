/** A coordinator that says what a test wants it to say, and remembers what it heard. */
import {
  ERRORS,
  MessageReader,
  decodeDocument,
  encodeDocument,
  encodeFrame,
  failure,
  framesOf,
  needsOwnStream,
  type BodyOf,
  type Message,
  type MessageOf,
  type MessageType,
  type SubmitTask,
  type TaskEvent,
} from '@quic-swarm/protocol';
import type { Connection, Listener, MemoryNetwork, Stream } from '@quic-swarm/transport';

/** One message that came in. */
export interface Heard {
  readonly message: Message;
  readonly peer: Peer;
  /** The purpose of its stream; `control` for the first. */
  readonly on: string;
}

/** Decides what to answer. The defaults accept everything and answer each task with its own input. */
export interface Script {
  onHandshake: (peer: Peer) => void;
  onSubmit: (submission: SubmitTask, peer: Peer) => void;
  onMessage: (message: Message, peer: Peer) => void;
}

/** One client that is connected. */
export class Peer {
  readonly connection: Connection;
  readonly streams = new Map<string, Stream>();

  constructor(connection: Connection) {
    this.connection = connection;
  }

  send(on: 'control' | 'client', message: Message): void {
    if (needsOwnStream(message)) void this.sendAlone(message);
    else this.streams.get(on)?.write(encodeFrame(message));
  }

  async sendAlone(message: Message): Promise<void> {
    const stream = await this.connection.openStream();
    stream.onData = () => {};
    stream.write(encodeFrame({ type: 'StreamOpen', body: { purpose: 'task' } }));
    for (const frame of framesOf(message)) if (!stream.write(frame)) await stream.drained();
    stream.end();
  }

  acknowledge(submission: { requestId: number; taskId: string }, more: object = {}): void {
    const { requestId, taskId } = submission;
    const body = { requestId, taskId, state: 'queued' as const, existing: false, ...more };
    this.send('client', { type: 'SubmitAck', body });
  }

  refuse(requestId: number, ...why: Parameters<typeof failure>): void {
    const body = { requestId, failure: failure(...why) };
    this.send('client', { type: 'ErrorReport', body });
  }

  event(event: Partial<TaskEvent> & Pick<TaskEvent, 'taskId' | 'kind'>): void {
    const body: TaskEvent = { state: 'running', attempt: 1, ...event };
    this.send('client', { type: 'TaskEvent', body });
  }

  chunk(taskId: string, sequence: number, value: unknown): void {
    this.event({ taskId, kind: 'chunk', sequence, payload: encodeDocument(value) });
  }

  succeed(taskId: string, result: unknown, more: Partial<TaskEvent> = {}): void {
    const payload = encodeDocument(result);
    this.event({ taskId, kind: 'end', state: 'succeeded', payload, ...more });
  }

  fail(taskId: string, ...why: Parameters<typeof failure>): void {
    this.event({ taskId, kind: 'end', state: 'failed', failure: failure(...why) });
  }
}

/** Listens on a transport. */
export class FakeCoordinator {
  readonly heard: Heard[] = [];
  /** What its acknowledgements name. */
  features: string[] = [];
  readonly peers: Peer[] = [];
  script: Script = {
    onHandshake: (peer) => {
      peer.streams.get('control')?.write(encodeFrame(clientAck(this.features)));
    },
    onSubmit: (submission, peer) => {
      peer.acknowledge(submission);
      peer.succeed(submission.taskId, decodeDocument(submission.payload ?? new Uint8Array([0xf6])));
    },
    onMessage: () => {},
  };
  readonly #waiters = new Set<() => void>();
  #listener: Listener | undefined;

  static async listen(network: MemoryNetwork): Promise<FakeCoordinator> {
    const self = new FakeCoordinator();
    self.#listener = await network.transport().listen({
      address: { host: '127.0.0.1', port: 5000 },
      onConnection: (connection) => {
        self.#accept(connection);
      },
    });
    return self;
  }

  /** Ends the present connection as a failing network does, and takes new ones. */
  async cut(): Promise<void> {
    const { wireCode } = ERRORS.CONNECTION_LOST;
    await this.peer.connection.close({ wireCode, message: 'cut' }, 0);
  }

  /** Ends all connections and takes no new ones. */
  async stop(): Promise<void> {
    await this.#listener?.close();
  }

  /** The client that connected last. */
  get peer(): Peer {
    const last = this.peers.at(-1);
    if (last === undefined) throw new Error('Nobody is connected.');
    return last;
  }

  /** What was heard of one type, in order. */
  of<T extends MessageType>(type: T): BodyOf<T>[] {
    return this.heard
      .filter(({ message }) => message.type === type)
      .map(({ message }) => (message as MessageOf<T>).body);
  }

  /** Resolves when so many messages of the type were heard. */
  async until<T extends MessageType>(type: T, count = 1): Promise<BodyOf<T>[]> {
    while (this.of(type).length < count) {
      await new Promise<void>((resolve) => {
        this.#waiters.add(resolve);
      });
    }
    return this.of(type);
  }

  #accept(connection: Connection): void {
    const peer = new Peer(connection);
    this.peers.push(peer);
    connection.onStream = (stream) => {
      let on = peer.streams.size === 0 ? 'control' : '';
      if (on !== '') peer.streams.set(on, stream);
      const reader = new MessageReader({
        onMessage: (message) => {
          if (on === '' && message.type === 'StreamOpen') {
            on = message.body.purpose;
            if (on !== 'task') peer.streams.set(on, stream);
            else stream.end();
          } else this.#hear({ message, peer, on });
        },
      });
      stream.onData = (bytes) => {
        reader.push(bytes);
      };
    };
  }

  #hear(heard: Heard): void {
    this.heard.push(heard);
    const { message, peer } = heard;
    if (message.type === 'ClientHandshake') this.script.onHandshake(peer);
    else if (message.type === 'SubmitTask') this.script.onSubmit(message.body, peer);
    else this.script.onMessage(message, peer);
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }
}

/** What a coordinator grants in these tests. */
function clientAck(features: string[]): Message {
  const grants = { payloadBytesMax: 2 ** 28, datasetBytesMax: 2 ** 28, streamsMax: 100 };
  const streams: ('client' | 'task' | 'dataset')[] = ['client', 'task', 'dataset'];
  const body = { protocol: 1, sessionToken: 'token', epoch: 1, streams, grants, features };
  return { type: 'ClientAck', body };
}
