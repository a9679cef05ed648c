/**
 * quic-swarm with a crowd of agents that have nothing to do: `idleAgents` connections of one process, each with its own
 * socket, which join and send heartbeats as the protocol wants and are able to compute nothing.
 */
import {
  encodeFrame,
  MessageReader,
  PROTOCOL_MAX,
  PROTOCOL_MIN,
  type Message,
  type MessageOf,
} from '@quic-swarm/protocol';
import {
  createQuicTransport,
  parseAddress,
  type Address,
  type Connection,
  type Stream,
  type Transport,
} from '@quic-swarm/transport';
import { addressOf, type Peer } from './contract.ts';
import { agentProcess, clientProcess, coordinatorProcess } from './swarm.ts';

/** So many join at the same time: a crowd that storms the door is another bench. */
const JOINING_AT_ONCE = 20;

export const peer: Peer = {
  packages: [],
  processes: [
    coordinatorProcess,
    {
      name: 'crowd',
      async start(context) {
        const address = parseAddress(addressOf(context, 'coordinator'));
        const transport = createQuicTransport({
          client: { trust: { authority: context.identity.authority } },
        });
        const count = Number(context.variant['idleAgents'] ?? 0);
        const agents: IdleAgent[] = [];
        while (agents.length < count) {
          const joining = Array.from(
            { length: Math.min(JOINING_AT_ONCE, count - agents.length) },
            async (_, index) => IdleAgent.join(transport, address, `idle-${agents.length + index}`),
          );
          agents.push(...(await Promise.all(joining)));
        }
        return {
          stop: async () => {
            await Promise.all(agents.map(async (agent) => agent.leave()));
          },
        };
      },
    },
    agentProcess,
    clientProcess,
  ],
};

class IdleAgent {
  readonly #connection: Connection;
  readonly #control: Stream;
  #heartbeats: NodeJS.Timeout | undefined;
  #sequence = 0;

  private constructor(connection: Connection, control: Stream) {
    this.#connection = connection;
    this.#control = control;
  }

  static async join(transport: Transport, address: Address, agentId: string): Promise<IdleAgent> {
    const connection = await transport.connect(address, { timeoutMs: 10_000 });
    const control = await connection.openStream({ urgency: 0 });
    const agent = new IdleAgent(connection, control);
    const accepted = new Promise<MessageOf<'AgentAck'>['body']>((resolve, reject) => {
      const reader = new MessageReader({
        onMessage: (message: Message) => {
          if (message.type === 'AgentAck') resolve(message.body);
        },
      });
      control.onData = (bytes) => {
        reader.push(bytes);
      };
      control.onError = reject;
    });
    agent.#say(control, {
      type: 'AgentHandshake',
      body: {
        protocolMin: PROTOCOL_MIN,
        protocolMax: PROTOCOL_MAX,
        agentId,
        agentType: 'compute',
        slots: 1,
        capabilities: [],
        labels: {},
        resources: {},
        heldLeases: [],
      },
    });
    const { heartbeatIntervalMs, idleHeartbeatIntervalMs = heartbeatIntervalMs } = await accepted;
    agent.#say(await connection.openStream(), {
      type: 'StreamOpen',
      body: { purpose: 'dispatch' },
    });
    // They joined one after the other, so their heartbeats are spread as those of real agents are.
    agent.#heartbeats = setInterval(() => {
      agent.#beat();
    }, idleHeartbeatIntervalMs);
    return agent;
  }

  async leave(): Promise<void> {
    clearInterval(this.#heartbeats);
    await this.#connection.close(undefined, 0);
  }

  #beat(): void {
    this.#sequence += 1;
    this.#say(this.#control, {
      type: 'HeartbeatMessage',
      body: {
        sequence: this.#sequence,
        leases: [],
        lastDispatchSequence: 0,
        running: 0,
        waiting: 0,
        eventLoopLagMs: 0,
        memoryBytes: 0,
      },
    });
  }

  #say(stream: Stream, message: Message): void {
    stream.write(encodeFrame(message));
  }
}
