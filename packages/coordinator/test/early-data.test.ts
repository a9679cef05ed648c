/** What the coordinator does with bytes that may be a recording: nothing that could do harm. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { QuicSwarmCoordinator } from '@quic-swarm/coordinator';
import { encodeFrame, MessageReader, PROTOCOL_MAX, PROTOCOL_MIN } from '@quic-swarm/protocol';
import type { Message, MessageType } from '@quic-swarm/protocol';
import {
  createQuicTransport,
  createSelfSignedCertificate,
  MemorySessionStore,
  openDatagramSocket,
  type Connection,
  type DatagramSocketFactory,
  type SessionStore,
  type Stream,
} from '@quic-swarm/transport';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EarlyGate } from '../src/shell/early-gate.ts';

const identity = createSelfSignedCertificate({ commonName: 'coordinator', hosts: ['127.0.0.1'] });
const client = { trust: { fingerprints: [identity.fingerprint] } };
const VERSIONS = { protocolMin: PROTOCOL_MIN, protocolMax: PROTOCOL_MAX };

async function until(condition: () => boolean): Promise<void> {
  await vi.waitUntil(condition, { timeout: 15_000, interval: 2 });
}

async function startCoordinator(): Promise<QuicSwarmCoordinator> {
  const coordinator = await QuicSwarmCoordinator.start({
    address: '127.0.0.1:0',
    transport: createQuicTransport({ server: identity }),
  });
  onTestFinished(async () => coordinator.close());
  return coordinator;
}

/** A store with the ticket of an earlier connection. */
async function ticketFor(coordinator: QuicSwarmCoordinator): Promise<SessionStore> {
  const sessions = new MemorySessionStore();
  let stored = 0;
  const counting: SessionStore = {
    get: (key) => sessions.get(key),
    set: (key, session) => {
      stored += 1;
      sessions.set(key, session);
    },
    delete: (key) => {
      sessions.delete(key);
    },
  };
  const transport = createQuicTransport({ client, sessions: counting });
  const first = await transport.connect(coordinator.address);
  await until(() => stored > 0);
  await first.close();
  return sessions;
}

async function openEarly(
  coordinator: QuicSwarmCoordinator,
  sessions: SessionStore,
  createDatagramSocket: DatagramSocketFactory = openDatagramSocket,
): Promise<{ connection: Connection; control: Stream; received: MessageType[] }> {
  const transport = createQuicTransport({ client, sessions, createSocket: createDatagramSocket });
  const connection = await transport.connect(coordinator.address, { earlyData: true });
  onTestFinished(async () => connection.close(undefined, 0));
  const control = await connection.openStream({ earlyData: true });
  const received: MessageType[] = [];
  const reader = new MessageReader({ onMessage: ({ type }) => received.push(type) });
  control.onData = (bytes) => {
    reader.push(bytes);
  };
  control.onError = () => undefined;
  return { connection, control, received };
}

const AGENT_HANDSHAKE: Message = {
  type: 'AgentHandshake',
  body: {
    ...VERSIONS,
    agentId: 'agent-1',
    agentType: 'compute',
    slots: 1,
    capabilities: [],
    labels: {},
    resources: {},
    heldLeases: [],
  },
};

describe('early data at the coordinator', () => {
  it('is answered where it introduces a client and asks something', async () => {
    const coordinator = await startCoordinator();
    const sessions = await ticketFor(coordinator);
    let isMute = false;
    const { connection, control, received } = await openEarly(
      coordinator,
      sessions,
      async (options) => {
        const socket = await openDatagramSocket({
          ...options,
          onDatagram: (...datagram) => {
            // From the first answer on nothing goes out: the handshake cannot be completed.
            isMute = true;
            options.onDatagram(...datagram);
          },
        });
        return {
          ...socket,
          send: (...datagram) => isMute || socket.send(...datagram),
        };
      },
    );
    control.write(
      encodeFrame({ type: 'ClientHandshake', body: { ...VERSIONS, clientName: 'early' } }),
    );
    control.write(encodeFrame({ type: 'QueryStatus', body: { requestId: 1, view: 'summary' } }));
    await until(() => received.length === 2);
    expect(received).toEqual(['ClientAck', 'StatusReport']);
    expect(connection.statistics().isResumed).toBe(true);
  });

  it('does not register an agent when it is played again by somebody else', async () => {
    const coordinator = await startCoordinator();
    const sessions = await ticketFor(coordinator);
    const recorded: Uint8Array[] = [];
    let isAnswered = false;
    const { connection, control, received } = await openEarly(
      coordinator,
      sessions,
      async (options) => {
        const socket = await openDatagramSocket({
          ...options,
          onDatagram: (...datagram) => {
            isAnswered = true;
            options.onDatagram(...datagram);
          },
        });
        return {
          ...socket,
          send: (datagram, ...to) => {
            if (!isAnswered) recorded.push(Uint8Array.from(datagram));
            return socket.send(datagram, ...to);
          },
        };
      },
    );
    control.write(encodeFrame(AGENT_HANDSHAKE));
    // The agent itself is registered, once its handshake is complete.
    await until(() => received.includes('AgentAck'));
    expect(coordinator.agents().map(({ state }) => state)).toEqual(['ready']);
    await connection.close();
    await until(() => coordinator.agents().every(({ state }) => state === 'lost'));

    const thief = createSocket('udp4');
    thief.bind(0, '127.0.0.1');
    await once(thief, 'listening');
    onTestFinished(() => {
      thief.close();
    });
    let answers = 0;
    thief.on('message', () => {
      answers += 1;
    });
    const { host, port } = coordinator.address;
    // As long as the coordinator remembers the connection, the recording belongs to it and does nothing.
    const replay = setInterval(() => {
      for (const datagram of recorded) thief.send(datagram, port, host);
    }, 20);
    onTestFinished(() => {
      clearInterval(replay);
    });
    // The coordinator takes the thief in: two have come before, for the ticket and as the agent.
    await until(() => coordinator.status().connections.acceptedInAll === 3);
    // With the first packet it reads the early data; its answer comes after that.
    await until(() => answers > 0);
    expect(coordinator.agents().map(({ state }) => state)).toEqual(['lost']);
  });
});

describe('the gate', () => {
  function gated(): { gate: EarlyGate; delivered: string[]; complete: (done: boolean) => void } {
    let complete: (done: boolean) => void = () => undefined;
    const connection = {
      isHandshakeComplete: false,
      handshakeComplete: new Promise<boolean>((resolve) => {
        complete = (done) => {
          connection.isHandshakeComplete = done;
          resolve(done);
        };
      }),
    };
    const gate = new EarlyGate(connection as unknown as Connection);
    return { gate, delivered: [], complete };
  }

  it('lets harmless messages through and keeps all others in their order', async () => {
    const { gate, delivered, complete } = gated();
    const types: MessageType[] = ['ClientHandshake', 'QueryStatus', 'SubmitTask', 'QueryStatus'];
    for (const [index, type] of types.entries()) {
      gate.pass(type, () => delivered.push(`${type} ${index}`));
    }
    expect(delivered).toEqual(['ClientHandshake 0', 'QueryStatus 1']);
    complete(true);
    await until(() => delivered.length === 4);
    expect(delivered.slice(2)).toEqual(['SubmitTask 2', 'QueryStatus 3']);
    gate.pass('SubmitTask', () => delivered.push('at once'));
    expect(delivered.at(-1)).toBe('at once');
  });

  it('drops what it kept when the handshake fails', async () => {
    const { gate, delivered, complete } = gated();
    gate.pass('CancelTask', () => delivered.push('cancelled'));
    complete(false);
    await new Promise((resolve) => setImmediate(resolve));
    expect(delivered).toEqual([]);
  });

  it('keeps at most 1,024', () => {
    const { gate } = gated();
    for (let count = 0; count < 1024; count += 1) gate.pass('SubmitTask', () => undefined);
    expect(() => {
      gate.pass('SubmitTask', () => undefined);
    }).toThrow(expect.objectContaining({ type: 'QUEUE_FULL' }));
  });
});
