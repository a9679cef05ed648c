/** What the coordinator does with messages that come together, over streams that the test plays. */
import {
  MessageReader,
  PROTOCOL_MAX,
  PROTOCOL_MIN,
  encodeFrame,
  type BodyOf,
  type Message,
  type MessageType,
} from '@quic-swarm/protocol';
import type { Connection, Stream, Transport } from '@quic-swarm/transport';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { QuicSwarmCoordinator } from '../src/index.ts';
import { taskIdOf } from './core-harness.ts';

/** One, or two where a block of the encoder's memory ends between the messages. */
const WRITES_MAX = 2;
const VERSIONS = { protocolMin: PROTOCOL_MIN, protocolMax: PROTOCOL_MAX };

/** A stream to which the coordinator writes; what it reads comes from the test. */
class PlayedStream {
  readonly received: Message[] = [];
  writes = 0;
  readonly queuedBytes = 0;
  urgency = 127;
  onData: ((bytes: Uint8Array) => void) | undefined;
  readonly #reader = new MessageReader({ onMessage: (message) => this.received.push(message) });

  write(bytes: Uint8Array): boolean {
    this.writes += 1;
    this.#reader.push(bytes);
    return true;
  }

  /** All messages in one piece of bytes. */
  say(...messages: (Message | Uint8Array)[]): void {
    const frames = messages.map((each) => (each instanceof Uint8Array ? each : encodeFrame(each)));
    this.onData?.(Buffer.concat(frames));
  }

  take<T extends MessageType>(type: T): BodyOf<T>[] {
    return this.received
      .filter((message) => message.type === type)
      .map(({ body }) => body) as never;
  }
}

class PlayedConnection {
  readonly id: string;
  readonly remoteAddress = { host: '127.0.0.1', port: 1 };
  readonly localAddress = { host: '127.0.0.1', port: 2 };
  readonly isHandshakeComplete = true;
  isOpen = true;
  onStream: ((stream: Stream) => void) | undefined;
  closedWith: number | undefined;
  readonly closed = new Promise<never>(() => undefined);

  constructor(id: string) {
    this.id = id;
  }

  open(...messages: Message[]): PlayedStream {
    const stream = new PlayedStream();
    this.onStream?.(stream as unknown as Stream);
    stream.say(...messages);
    return stream;
  }

  async close({ wireCode }: { wireCode: number }): Promise<void> {
    this.closedWith = wireCode;
  }
}

async function start(): Promise<{ connect: (id: string) => PlayedConnection }> {
  let accept: ((connection: Connection) => void) | undefined;
  const transport: Transport = {
    name: 'memory',
    listen: async ({ address, onConnection }) => {
      accept = onConnection;
      return { address, fingerprint: undefined, close: async () => undefined };
    },
    connect: async () => Promise.reject(new Error('not played')),
  };
  const coordinator = await QuicSwarmCoordinator.start({ address: '127.0.0.1:1', transport });
  onTestFinished(async () => coordinator.close());
  return {
    connect: (id) => {
      const connection = new PlayedConnection(id);
      accept?.(connection as unknown as Connection);
      return connection;
    },
  };
}

async function swarm(): Promise<{
  client: PlayedConnection;
  requests: PlayedStream;
  control: PlayedStream;
  dispatch: PlayedStream;
}> {
  const { connect } = await start();
  const agent = connect('agent');
  const agentControl = agent.open({
    type: 'AgentHandshake',
    body: {
      ...VERSIONS,
      agentId: 'a',
      agentType: 'compute',
      slots: 100,
      capabilities: ['work'],
      labels: {},
      resources: {},
      heldLeases: [],
    },
  });
  const dispatch = agent.open({ type: 'StreamOpen', body: { purpose: 'dispatch' } });
  agentControl.say({ type: 'CreditGrant', body: { credit: 100 } });
  const client = connect('client');
  const control = client.open({
    type: 'ClientHandshake',
    body: { ...VERSIONS, clientName: 'test' },
  });
  const requests = client.open({ type: 'StreamOpen', body: { purpose: 'client' } });
  return { client, requests, control, dispatch };
}

const submission = (n: number, watch: 'result' | 'all' = 'result'): Message => ({
  type: 'SubmitTask',
  body: { requestId: n, taskId: taskIdOf(n), taskType: 'work', datasets: [], watch },
});

describe('messages that come together', () => {
  it('are answered in their order, all of a stream together', async () => {
    const { requests, dispatch } = await swarm();
    const numbers = Array.from({ length: 20 }, (_, n) => n + 1);
    requests.say(...numbers.map((n) => submission(n)));
    expect(requests.take('SubmitAck').map(({ requestId }) => requestId)).toEqual(numbers);
    expect(requests.writes).toBeLessThanOrEqual(WRITES_MAX);
    const tasks = dispatch.take('AgentTask');
    expect(tasks.map(({ taskId }) => taskId)).toEqual(numbers.map(taskIdOf));
    expect(dispatch.writes).toBeLessThanOrEqual(WRITES_MAX);
    dispatch.say(
      ...tasks.map(({ epoch, taskId, attempt }): Message => ({
        type: 'TaskCompletion',
        body: {
          epoch,
          taskId,
          attempt,
          outcome: 'succeeded',
          chunkCount: 0,
          computeMs: 1,
          waitMs: 0,
        },
      })),
    );
    const ends = requests.take('TaskEvent');
    expect(ends.map(({ taskId, state }) => [taskId, state])).toEqual(
      numbers.map((n) => [taskIdOf(n), 'succeeded']),
    );
    // Receipts wait a moment for the next tasks.
    await vi.waitUntil(() => dispatch.take('MessageAck').length === 20);
    // Eighty messages in all.
    expect(requests.writes + dispatch.writes).toBeLessThanOrEqual(4 * WRITES_MAX);
  });

  it('are given to agents before the peer learns which of them wait', async () => {
    const { requests } = await swarm();
    requests.say(...Array.from({ length: 102 }, (_, n) => submission(n + 1, 'all')));
    const states = new Map(requests.take('TaskEvent').map((event) => [event.taskId, event]));
    expect(states.get(taskIdOf(100))).toMatchObject({ state: 'dispatched' });
    expect(states.get(taskIdOf(101))).toMatchObject({
      state: 'queued',
      pendingReason: 'NO_FREE_SLOT',
    });
    expect(states.get(taskIdOf(102))).toMatchObject({ state: 'queued' });
  });

  it('have had their effect when a question after them is answered', async () => {
    const { control, requests } = await swarm();
    requests.say(submission(1));
    control.say(
      {
        type: 'CancelTask',
        body: { requestId: 2, taskId: taskIdOf(1), reason: 'test', graceMs: 0 },
      },
      { type: 'QueryStatus', body: { requestId: 3, view: 'task', taskId: taskIdOf(1) } },
    );
    expect(control.take('StatusReport')[0]?.tasks?.[0]).toMatchObject({ cancelRequested: true });
    expect(control.received.map(({ type }) => type)).toEqual([
      'ClientAck',
      'MessageAck',
      'StatusReport',
    ]);
  });

  it('are answered even when the last of them breaks the protocol', async () => {
    const { client, control, requests } = await swarm();
    // A frame with a number that no message has.
    requests.say(submission(1), new Uint8Array([0, 0, 0, 1, 255]));
    expect(requests.take('SubmitAck').map(({ requestId }) => requestId)).toEqual([1]);
    expect(control.take('ErrorReport')).toHaveLength(1);
    expect(client.closedWith).toBeGreaterThan(0);
  });
});
