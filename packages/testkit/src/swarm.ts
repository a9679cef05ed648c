/** A whole swarm inside one process, for tests: a coordinator, agents and clients over either transport. */
import {
  QuicSwarmAgent,
  type AgentEvent,
  type AgentOptions,
  type TaskHandler,
} from '@quic-swarm/agent';
import { connect, type SwarmClient } from '@quic-swarm/client';
import {
  QuicSwarmCoordinator,
  type CoordinatorNotice,
  type CoreOptions,
} from '@quic-swarm/coordinator';
import type { AgentType, CompressionMode } from '@quic-swarm/protocol';
import {
  MemoryNetwork,
  createQuicTransport,
  createSelfSignedCertificate,
  fingerprintOf,
  formatAddress,
  type Transport,
} from '@quic-swarm/transport';

/** An agent of a test swarm. */
export interface TestAgentOptions {
  readonly id: string;
  readonly type: AgentType;
  readonly slots?: number;
  readonly threads?: number;
  /** @default 'auto' */
  readonly compression?: CompressionMode;
  readonly handlers?: Readonly<Record<string, TaskHandler | URL>>;
  readonly tunables?: NonNullable<AgentOptions['tunables']>;
}

/** What a test swarm is made of. */
export interface TestSwarmOptions {
  readonly transport: 'memory' | 'quic';
  readonly agents?: readonly TestAgentOptions[];
  readonly decisions?: Partial<CoreOptions>;
  /** The coordinator's folder. @default none: nothing survives it */
  readonly data?: string;
  /** Bytes that may wait for a peer that does not read. @default that of the coordinator */
  readonly outgoingBytesMax?: number;
  /** Of the coordinator. @default 'auto' */
  readonly compression?: CompressionMode;
}

/** See the head of this file. Dispose of it with `await using`. */
export class TestSwarm implements AsyncDisposable {
  readonly coordinator: QuicSwarmCoordinator;
  /** What the coordinator told its observer, oldest first. */
  readonly notices: CoordinatorNotice[];
  readonly #transport: Transport;
  readonly #ends: (() => Promise<unknown>)[] = [];

  private constructor(
    coordinator: QuicSwarmCoordinator,
    notices: CoordinatorNotice[],
    transport: Transport,
  ) {
    this.coordinator = coordinator;
    this.notices = notices;
    this.#transport = transport;
  }

  static async start({
    transport: kind,
    agents = [],
    decisions,
    data,
    outgoingBytesMax,
    compression = 'auto',
  }: TestSwarmOptions): Promise<TestSwarm> {
    const transport = kind === 'memory' ? new MemoryNetwork().transport() : quicTransport();
    const notices: CoordinatorNotice[] = [];
    const coordinator = await QuicSwarmCoordinator.start({
      address: '127.0.0.1:0',
      transport,
      compression,
      onNotice: (notice) => notices.push(notice),
      ...(data === undefined ? {} : { data }),
      ...(decisions === undefined ? {} : { decisions }),
      ...(outgoingBytesMax === undefined ? {} : { outgoingBytesMax }),
    });
    const swarm = new TestSwarm(coordinator, notices, transport);
    for (const agent of agents) await swarm.addAgent(agent);
    return swarm;
  }

  /** Where the coordinator listens. */
  get address(): string {
    return formatAddress(this.coordinator.address);
  }

  /** What connects to the coordinator, for tests that speak the protocol themselves. */
  get transport(): Transport {
    return this.#transport;
  }

  /** Starts an agent that asks for work at once. */
  async addAgent(
    { threads = 1, ...options }: TestAgentOptions,
    onEvent?: (event: AgentEvent) => void,
  ): Promise<QuicSwarmAgent> {
    const agent = await QuicSwarmAgent.connect({
      address: this.address,
      transport: this.#transport,
      threads,
      ...options,
      ...(onEvent === undefined ? {} : { onEvent }),
    });
    const run = agent.run();
    this.#ends.push(async () => {
      await agent.close();
      await run;
    });
    return agent;
  }

  /** Connects a client; it is closed with the swarm. */
  async connect(
    name: string = 'test',
    compression: CompressionMode = 'auto',
  ): Promise<SwarmClient> {
    const address = this.address;
    const client = await connect({ address, name, compression, transport: this.#transport });
    this.#ends.push(async () => client.close());
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends.toReversed()) await end();
    await this.coordinator.close();
  }
}

/** A transport that both listens and connects, with a certificate of its own that it pins. */
function quicTransport(): Transport {
  const server = createSelfSignedCertificate({
    commonName: 'test',
    hosts: ['localhost', '127.0.0.1'],
    days: 1,
  });
  return createQuicTransport({
    server,
    client: { trust: { fingerprints: [fingerprintOf(server.certificate)] } },
  });
}
