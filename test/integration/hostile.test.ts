/** Peers that break the rules lose their connection, with the code of the rule; everybody else goes on working. */
import {
  ERRORS,
  MESSAGES,
  MessageReader,
  PROTOCOL_MAX,
  encodeFrame,
  errorTypeOfWireCode,
  type BodyOf,
  type ErrorType,
  type Message,
} from '@quic-swarm/protocol';
import { TestSwarm } from '@quic-swarm/testkit';
import { parseAddress, type Connection, type Stream } from '@quic-swarm/transport';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const CLIENT_HANDSHAKE: BodyOf<'ClientHandshake'> = {
  protocolMin: 1,
  protocolMax: 1,
  clientName: 'rude',
};

function frame(message: Message): Uint8Array {
  return encodeFrame(message);
}

function rawFrame(number: number, body: Uint8Array, claimedLength = body.length + 1): Uint8Array {
  const bytes = new Uint8Array(5 + body.length);
  new DataView(bytes.buffer).setUint32(0, claimedLength);
  bytes[4] = number;
  bytes.set(body, 5);
  return bytes;
}

/** A peer that writes what it likes. */
class RudePeer {
  readonly connection: Connection;
  readonly control: Stream;
  readonly heard: Message[] = [];
  #onHeard: () => void = () => undefined;

  private constructor(connection: Connection, control: Stream) {
    this.connection = connection;
    this.control = control;
    const reader = new MessageReader({
      onMessage: (message) => {
        this.heard.push(message);
        this.#onHeard();
      },
    });
    control.onData = (bytes) => {
      reader.push(bytes);
    };
  }

  static async connect(swarm: TestSwarm): Promise<RudePeer> {
    const connection = await swarm.transport.connect(parseAddress(swarm.address));
    return new RudePeer(connection, await connection.openStream());
  }

  async hears(type: Message['type']): Promise<void> {
    while (!this.heard.some((message) => message.type === type)) {
      await new Promise<void>((resolve) => {
        this.#onHeard = resolve;
      });
    }
  }

  /** How it ended, as the error type behind the close code. */
  async ending(): Promise<ErrorType | undefined> {
    const { by, wireCode } = await this.connection.closed;
    expect(by).toBe('peer');
    return errorTypeOfWireCode(wireCode);
  }
}

describe.each(['memory', 'quic'] as const)('a rude peer over %s', (transport) => {
  let swarm: TestSwarm;
  beforeAll(async () => {
    swarm = await TestSwarm.start({
      transport,
      agents: [{ id: 'honest', type: 'compute', handlers: { double: (x) => (x as number) * 2 } }],
    });
  });
  afterAll(async () => {
    await swarm[Symbol.asyncDispose]();
  });

  const joined = frame({ type: 'ClientHandshake', body: CLIENT_HANDSHAKE });
  const cases: [string, ErrorType, Uint8Array[]][] = [
    ['random bytes', 'BAD_FRAME', [new Uint8Array(64).fill(0xee)]],
    ['HTTP', 'BAD_FRAME', [new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')]],
    ['an unknown message number', 'BAD_FRAME', [rawFrame(0xfe, new Uint8Array([0xa0]))]],
    [
      'an empty frame',
      'BAD_FRAME',
      [rawFrame(MESSAGES.ClientHandshake.number, new Uint8Array(0), 1)],
    ],
    [
      'a claim of 4 GiB',
      'FRAME_TOO_LARGE',
      [rawFrame(MESSAGES.ClientHandshake.number, new Uint8Array(8), 0xffffffff)],
    ],
    [
      '100 KiB before the handshake',
      'FRAME_TOO_LARGE',
      [rawFrame(MESSAGES.AgentHandshake.number, new Uint8Array(8), 100_000)],
    ],
    [
      'a body that is no CBOR',
      'BAD_MESSAGE',
      [rawFrame(MESSAGES.ClientHandshake.number, new Uint8Array([0xff, 0x00]))],
    ],
    [
      'a bignum',
      'BAD_MESSAGE',
      [rawFrame(MESSAGES.ClientHandshake.number, new Uint8Array([0xc2, 0x41, 0x01]))],
    ],
    [
      'a missing field',
      'BAD_MESSAGE',
      [frame({ type: 'ClientHandshake', body: { protocolMin: 1, protocolMax: 1 } as never })],
    ],
    [
      'an unknown field',
      'BAD_MESSAGE',
      [frame({ type: 'ClientHandshake', body: { ...CLIENT_HANDSHAKE, admin: true } as never })],
    ],
    [
      'a first message that is no handshake',
      'UNEXPECTED_MESSAGE',
      [frame({ type: 'CreditGrant', body: { credit: 1 } })],
    ],
    [
      'a future protocol',
      'VERSION_MISMATCH',
      [
        frame({
          type: 'ClientHandshake',
          body: {
            ...CLIENT_HANDSHAKE,
            protocolMin: PROTOCOL_MAX + 1,
            protocolMax: PROTOCOL_MAX + 9,
          },
        }),
      ],
    ],
    ['a second handshake', 'UNEXPECTED_MESSAGE', [joined, joined]],
    [
      'a message of agents from a client',
      'UNEXPECTED_MESSAGE',
      [joined, frame({ type: 'CreditGrant', body: { credit: 1 } })],
    ],
    [
      'a message of another stream',
      'UNEXPECTED_MESSAGE',
      [
        joined,
        frame({
          type: 'SubmitTask',
          body: {
            requestId: 1,
            taskId: '00000000-0000-7000-8000-000000000001',
            taskType: 'double',
            datasets: [],
            watch: 'none',
          },
        }),
      ],
    ],
    [
      'a payload where none can be',
      'UNEXPECTED_MESSAGE',
      [joined, frame({ type: 'PayloadChunk', body: { offset: 0, bytes: new Uint8Array(1) } })],
    ],
  ];

  it.each(cases)('with %s is closed with %s', async (_what, type, writes) => {
    const peer = await RudePeer.connect(swarm);
    for (const bytes of writes) peer.control.write(bytes);
    expect(await peer.ending()).toBe(type);
    const report = peer.heard.find((message) => message.type === 'ErrorReport');
    expect(report?.body).toMatchObject({ failure: { type, code: ERRORS[type].code } });
  });

  it('that ends its control stream in the middle of a frame is closed', async () => {
    const peer = await RudePeer.connect(swarm);
    peer.control.write(joined.subarray(0, 7));
    peer.control.end();
    expect(await peer.ending()).toBe('BAD_FRAME');
  });

  it('that opens streams before it has introduced itself is closed', async () => {
    const peer = await RudePeer.connect(swarm);
    peer.control.write(joined.subarray(0, 7));
    const second = await peer.connection.openStream();
    second.write(frame({ type: 'StreamOpen', body: { purpose: 'client' } }));
    expect(await peer.ending()).toBe('UNEXPECTED_MESSAGE');
  });

  it('that opens the streams of an agent as a client is closed', async () => {
    const peer = await RudePeer.connect(swarm);
    peer.control.write(joined);
    await peer.hears('ClientAck');
    const second = await peer.connection.openStream();
    second.write(frame({ type: 'StreamOpen', body: { purpose: 'dispatch' } }));
    expect(await peer.ending()).toBe('UNEXPECTED_MESSAGE');
  });

  it('disturbs nobody: the honest agent and a client still work, and the errors are counted', async () => {
    const client = await swarm.connect();
    expect(await client.run('double', 21)).toBe(42);
    const { errorsByType, connections } = swarm.coordinator.status();
    expect(errorsByType).toMatchObject({
      BAD_FRAME: 5,
      FRAME_TOO_LARGE: 2,
      BAD_MESSAGE: 4,
      VERSION_MISMATCH: 1,
    });
    expect(connections).toMatchObject({ agents: 1, handshaking: 0 });
  });
});
