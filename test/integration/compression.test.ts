/** Payloads that travel encoded through a whole swarm: who agrees with whom, who decodes, and what lies do. */
import { deflateRawSync } from 'node:zlib';
import {
  MessageReader,
  encodeDocument,
  encodeFrame,
  encodeTable,
  type BodyOf,
  type CompressionMode,
  type Message,
  type SubmitTask,
} from '@quic-swarm/protocol';
import { TestSwarm } from '@quic-swarm/testkit';
import { parseAddress, type Connection, type Stream } from '@quic-swarm/transport';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const text = (length: number): string => 'price '.repeat(length / 6);
const handlers = {
  echo: (input: unknown) => input,
  parts: (input: unknown, { emit }: { emit: (value: unknown) => void }) => {
    for (let part = 0; part < 3; part += 1) emit({ part, input });
  },
};
const agent = (id: string, compression: CompressionMode) =>
  ({ id, type: 'compute', handlers, compression }) as const;

const MODES: [client: CompressionMode, coordinator: CompressionMode, agent: CompressionMode][] = [
  ['always', 'always', 'always'],
  ['always', 'auto', 'never'],
  ['never', 'auto', 'always'],
  ['never', 'always', 'never'],
  ['never', 'always', 'always'],
  ['always', 'never', 'always'],
  ['auto', 'auto', 'auto'],
];

describe.each(['memory', 'quic'] as const)('over %s', (transport) => {
  describe.each(MODES)('client %s, coordinator %s, agent %s', (client, coordinator, computing) => {
    it('computes the same, from small inputs to large ones, parts and data sets', async () => {
      await using swarm = await TestSwarm.start({
        transport,
        compression: coordinator,
        agents: [agent('a', computing)],
      });
      const user = await swarm.connect('user', client);
      for (const length of [600, 6000, 60_000, 600_000]) {
        expect(await user.run('echo', text(length))).toBe(text(length));
      }
      const handle = await user.submit('parts', text(90_000));
      let count = 0;
      for await (const { part, input } of handle.chunks() as AsyncIterable<{
        part: number;
        input: string;
      }>) {
        expect(part).toBe(count);
        expect(input === text(90_000)).toBe(true);
        count += 1;
      }
      expect(count).toBe(3);
      const keyed = { idempotencyKey: 'key' };
      const first = await user.submit('echo', text(90_000), keyed);
      const second = await user.submit('echo', text(90_000), keyed);
      expect(second.id).toBe(first.id);
      const prices = Float64Array.from({ length: 50_000 }, (_, i) => i % 100);
      const { datasetId } = await user.putTable({ prices });
      const other = await swarm.connect('other', computing);
      const table = (await other.getDataset(datasetId)).table();
      expect(table.columns.get('prices')).toStrictEqual(prices);
      const { messages } = await user.status();
      const offers = [client, computing, computing].filter((mode) => mode !== 'never');
      const expected = coordinator === 'never' ? 0 : offers.length;
      expect(messages.byType['EncodingOffer'] ?? 0).toBe(expected);
    });
  });
});

/** A client that speaks the protocol itself. */
class RawClient {
  readonly connection: Connection;
  readonly heard: Message[] = [];
  readonly #stream: Stream;
  #onHeard: () => void = () => undefined;
  #requests = 0;

  private constructor(connection: Connection, control: Stream, stream: Stream) {
    this.connection = connection;
    this.#stream = stream;
    this.#read(control);
    this.#read(stream);
    connection.onStream = (opened) => {
      opened.end();
      this.#read(opened);
    };
  }

  static async connect(swarm: TestSwarm): Promise<RawClient> {
    const connection = await swarm.transport.connect(parseAddress(swarm.address));
    const control = await connection.openStream();
    const acknowledged = new Promise<void>((resolve) => {
      control.onData = () => {
        resolve();
      };
    });
    const body = { protocolMin: 1, protocolMax: 1, clientName: 'raw' };
    control.write(encodeFrame({ type: 'ClientHandshake', body }));
    await acknowledged;
    const stream = await connection.openStream();
    stream.write(encodeFrame({ type: 'StreamOpen', body: { purpose: 'client' } }));
    return new RawClient(connection, control, stream);
  }

  #read(stream: Stream): void {
    const reader = new MessageReader({
      onMessage: (message) => {
        this.heard.push(message);
        this.#onHeard();
      },
    });
    stream.onData = (bytes) => {
      reader.push(bytes);
    };
    stream.onError = () => undefined;
  }

  submit(fields: Partial<SubmitTask>): string {
    this.#requests += 1;
    const taskId = `00000000-0000-7000-8000-${String(this.#requests).padStart(12, '0')}`;
    const rest = { requestId: this.#requests, taskId, taskType: 'echo' };
    const body: SubmitTask = { ...rest, datasets: [], watch: 'result', ...fields };
    this.#stream.write(encodeFrame({ type: 'SubmitTask', body }));
    return taskId;
  }

  /** A data set stream with one request; what is heard on it is heard. */
  async put(body: BodyOf<'PutDataset'>): Promise<void> {
    const stream = await this.connection.openStream();
    this.#read(stream);
    stream.write(encodeFrame({ type: 'StreamOpen', body: { purpose: 'dataset' } }));
    stream.write(encodeFrame({ type: 'PutDataset', body }));
    stream.end();
  }

  async hears<T extends Message['type']>(
    type: T,
    fits: (body: BodyOf<T>) => boolean = () => true,
  ): Promise<BodyOf<T>> {
    for (;;) {
      const found = this.heard.find(
        (message) => message.type === type && fits(message.body as BodyOf<T>),
      );
      if (found !== undefined) return found.body as BodyOf<T>;
      await new Promise<void>((resolve) => {
        this.#onHeard = resolve;
      });
    }
  }

  async end(taskId: string): Promise<BodyOf<'TaskEvent'>> {
    return this.hears('TaskEvent', (event) => event.taskId === taskId && event.kind === 'end');
  }
}

const plain = encodeDocument(text(30_000));
const good = {
  payload: deflateRawSync(plain),
  payloadEncoding: { name: 'deflate-raw', decodedBytes: plain.length },
} as const;
/** Decodes, and to something else than it claims. */
const lie = {
  ...good,
  payloadEncoding: { ...good.payloadEncoding, decodedBytes: plain.length - 1 },
};

describe('lies', () => {
  let swarm: TestSwarm;
  let client: RawClient;
  beforeAll(async () => {
    swarm = await TestSwarm.start({ transport: 'memory' });
    client = await RawClient.connect(swarm);
  });
  afterAll(async () => {
    await client.connection.close();
    await swarm[Symbol.asyncDispose]();
  });

  it('pass through the coordinator, which does not look, and fail their task at an agent that decodes', async () => {
    const failures: string[] = [];
    const decoding = await swarm.addAgent(agent('decoding', 'auto'), (event) => {
      if (event.type === 'taskFinished') failures.push(event.failure?.type ?? 'none');
    });
    const end = await client.end(client.submit(lie));
    expect(end).toMatchObject({ state: 'failed', attempt: 1, agentId: 'decoding' });
    expect(end.failure).toMatchObject({ type: 'BAD_ENCODING', retryable: false });
    const fine = await client.end(client.submit(good));
    expect(fine.state).toBe('succeeded');
    // The agent itself has found out.
    expect(failures).toStrictEqual(['BAD_ENCODING', 'none']);
    await decoding.drain();
  });

  it('fail their task at the coordinator where the agent does not decode, and the agent goes on', async () => {
    const failures: string[] = [];
    const plainAgent = await swarm.addAgent(agent('plain', 'never'), (event) => {
      if (event.type === 'taskFinished') failures.push(event.failure?.type ?? 'none');
    });
    const end = await client.end(client.submit(lie));
    expect(end.failure).toMatchObject({ type: 'BAD_ENCODING', retryable: false });
    expect(end.attempt).toBe(1);
    // The client did not say that it decodes, so it gets its result plain.
    const fine = await client.end(client.submit(good));
    expect(fine).toMatchObject({ state: 'succeeded', agentId: 'plain', payload: plain });
    expect(swarm.notices.filter(({ type }) => type === 'ProtocolError')).toHaveLength(0);
    // The handler never saw the first one, and its answer came too late to count.
    expect(failures).toStrictEqual(['BAD_INPUT', 'none']);
    await plainAgent.drain();
  });

  it('are refused at once where the coordinator has to look: keys and data sets', async () => {
    client.submit({ ...lie, idempotencyKey: 'k' });
    const refused = await client.hears('ErrorReport');
    expect(refused.failure.type).toBe('BAD_ENCODING');
    const table = encodeTable(new Map([['a', new Float64Array(1000)]]));
    const put = { datasetId: `sha256:${'0'.repeat(64)}`, mediaType: 'text/plain' };
    const encoded = { payload: deflateRawSync(table) };
    const encoding = (decodedBytes: number) =>
      ({ payloadEncoding: { name: 'deflate-raw', decodedBytes } }) as const;
    await client.put({ requestId: 101, ...put, ...encoded, ...encoding(table.length - 1) });
    const bad = await client.hears('ErrorReport', ({ requestId }) => requestId === 101);
    expect(bad.failure.type).toBe('BAD_ENCODING');
    await client.put({ requestId: 102, ...put, ...encoded, ...encoding(table.length) });
    const corrupt = await client.hears('ErrorReport', ({ requestId }) => requestId === 102);
    expect(corrupt.failure.type).toBe('DATASET_CORRUPT');
  });

  it('about the length count before anything is decoded', async () => {
    await using small = await TestSwarm.start({
      transport: 'memory',
      decisions: { pendingBytesMax: 50_000, payloadBytesMax: 100_000 },
    });
    const user = await RawClient.connect(small);
    const claim = (decodedBytes: number) =>
      ({
        payload: deflateRawSync(new Uint8Array(decodedBytes)),
        payloadEncoding: { name: 'deflate-raw', decodedBytes },
      }) as const;
    // Quotas count what it decodes to: some hundred bytes that claim 60,000 are 60,000.
    user.submit(claim(60_000));
    expect((await user.hears('ErrorReport')).failure.type).toBe('QUEUE_FULL');
    user.submit({ ...claim(60_000), idempotencyKey: 'k' });
    await user.hears('ErrorReport', ({ requestId }) => requestId === 2);
    user.submit(claim(100_001));
    const { message } = await user.connection.closed;
    expect(message).toContain('decodes to 100001 bytes');
  });

  it('and encodings at a coordinator that offers none end the connection', async () => {
    await using strict = await TestSwarm.start({ transport: 'memory', compression: 'never' });
    const user = await RawClient.connect(strict);
    user.submit(good);
    const { error } = await user.connection.closed;
    expect(error.type).toBe('BAD_ENCODING');
  });
});

describe('a data set that came plain', () => {
  it('is encoded for whoever decodes, kept so, and decoded again for others', async () => {
    await using swarm = await TestSwarm.start({ transport: 'memory', compression: 'always' });
    const bytes = encodeDocument(text(600_000));
    const plainClient = await swarm.connect('plain', 'never');
    const { datasetId } = await plainClient.putDataset(bytes);
    const sentFor = async (mode: CompressionMode): Promise<number> => {
      const before = swarm.coordinator.status().bytes.sent;
      const client = await swarm.connect('reader', mode);
      const content = await client.getDataset(datasetId);
      expect(Buffer.compare(content.bytes, bytes)).toBe(0);
      return swarm.coordinator.status().bytes.sent - before;
    };
    for (const mode of ['always', 'auto', 'never', 'always'] as const) {
      const isPlain = mode === 'never';
      const sent = await sentFor(mode);
      if (isPlain) expect(sent).toBeGreaterThan(600_000);
      else expect(sent).toBeLessThan(100_000);
    }
    // What is counted is the plain length, however it is kept.
    expect(swarm.coordinator.status().datasets).toStrictEqual({ count: 1, bytes: bytes.length });
  });
});

describe('what travels', () => {
  it('is a fraction of what it is over QUIC, in all four directions', async () => {
    await using swarm = await TestSwarm.start({
      transport: 'quic',
      agents: [agent('a', 'always')],
    });
    const user = await swarm.connect('user', 'always');
    const before = swarm.coordinator.status().bytes;
    const input = text(3_000_000);
    expect((await user.run('echo', input)) === input).toBe(true);
    const { received, sent } = swarm.coordinator.status().bytes;
    expect(received - before.received).toBeLessThan(300_000);
    expect(sent - before.sent).toBeLessThan(300_000);
  });
});
