/**
 * A faulty network between clients and a server: a UDP proxy on the loopback interface. Clients connect to `address`;
 * each of them (a flow) reaches the server from a socket of its own, as behind a NAT, and goes over two links of its own.
 *
 * The links decide ({@link FaultyLink}); this file only has sockets and one timer. Flow `n` of a seed draws the same
 * fates in every run: a test with one client is reproduced by its seed.
 */
import { openDatagramSocket, type Address, type DatagramSocket } from '@quic-swarm/transport';
import { DeliveryQueue } from './delivery-queue.ts';
import { ExactTimer } from './exact-timer.ts';
import {
  FaultyLink,
  mixedSeed,
  sumOfStatistics,
  type Fate,
  type LinkStatistics,
} from './faulty-link.ts';
import { changedFaults, NO_FAULTS, type LinkFaults } from './link-faults.ts';
import { ProxyFlow } from './proxy-flow.ts';

/** From the client to the server, or back. */
export type Direction = 'toServer' | 'toClient';

/** Told of each datagram that enters the proxy, before anything happens to it. */
export type DatagramObserver = (
  direction: Direction,
  datagram: Uint8Array,
  fate: Fate,
  flow: number,
) => void;

/** Options of {@link FaultProxy.open}. */
export interface FaultProxyOptions {
  readonly server: Address;
  /** The same seed draws the same fates. @default 1 */
  readonly seed?: number;
  /** Faults of both directions. @default none */
  readonly faults?: Partial<LinkFaults>;
  /** Faults of one direction, on top of `faults`. */
  readonly toServer?: Partial<LinkFaults>;
  readonly toClient?: Partial<LinkFaults>;
  /** How many clients have a socket to the server at once; of more, those that were silent longest lose theirs.
   *  @default 1000 */
  readonly flowsMax?: number;
  /** The address from which the server sees clients come, such as 127.0.0.2. @default the loopback address */
  readonly clientHost?: string;
  readonly observe?: DatagramObserver;
}

interface Flow {
  readonly number: number;
  readonly client: Address;
  readonly upstream: ProxyFlow;
  readonly links: Readonly<Record<Direction, FaultyLink>>;
}

interface Parcel {
  readonly flow: Flow;
  readonly direction: Direction;
  readonly datagram: Uint8Array;
}

const FLOWS_MAX = 1000;

/** See the head of this file. Dispose of it with `await using`. */
export class FaultProxy implements AsyncDisposable {
  readonly #server: Address;
  readonly #seed: number;
  readonly #flowsMax: number;
  readonly #clientHost: string;
  readonly #observe: DatagramObserver | undefined;
  readonly #faults: Record<Direction, LinkFaults>;
  /** By the client's address; those that were used last are at the end. */
  readonly #flows = new Map<string, Flow>();
  readonly #inTransit = new DeliveryQueue<Parcel>();
  readonly #timer: ExactTimer;
  /** What links of flows that are gone did. */
  readonly #gone: Record<Direction, LinkStatistics[]> = { toServer: [], toClient: [] };
  #flowsMade = 0;
  #front: DatagramSocket | undefined;

  private constructor(options: FaultProxyOptions) {
    const { server, seed = 1, flowsMax = FLOWS_MAX, faults = {} } = options;
    this.#server = server;
    this.#seed = seed;
    this.#flowsMax = flowsMax;
    this.#clientHost = options.clientHost ?? this.#loopback;
    this.#observe = options.observe;
    const both = changedFaults(NO_FAULTS, faults);
    this.#faults = {
      toServer: changedFaults(both, options.toServer ?? {}),
      toClient: changedFaults(both, options.toClient ?? {}),
    };
    this.#timer = new ExactTimer(() => {
      this.#deliver();
    });
  }

  /** Opens a proxy in front of a server. @throws BAD_OPTION when a fault has an impossible value. */
  static async open(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options);
    proxy.#front = await openDatagramSocket({
      localAddress: { host: proxy.#loopback, port: 0 },
      onDatagram: (datagram, host, port) => {
        proxy.#pass(proxy.#flowOf({ host, port }), 'toServer', datagram);
      },
      onError: () => undefined,
    });
    return proxy;
  }

  /** Where clients connect to. */
  get address(): Address {
    return this.#open().localAddress;
  }

  /** How many clients have a socket to the server. */
  get flows(): number {
    return this.#flows.size;
  }

  /** What the links of a direction did so far, all flows together. */
  statistics(direction: Direction): LinkStatistics {
    const links = [...this.#flows.values()].map((flow) => flow.links[direction].statistics);
    return sumOfStatistics([...this.#gone[direction], ...links]);
  }

  /** Changes some faults of all flows from now on. What is on its way arrives as decided. @default both directions */
  change(faults: Partial<LinkFaults>, direction?: Direction): void {
    const directions = direction === undefined ? (['toServer', 'toClient'] as const) : [direction];
    for (const each of directions) {
      this.#faults[each] = changedFaults(this.#faults[each], faults);
      for (const flow of this.#flows.values()) flow.links[each].change(faults);
    }
  }

  /**
   * Gives every flow another socket to the server, as a NAT does that was restarted: the server sees the clients come
   * from other ports, and what it still sends to the old ones is lost. Resolves when the new sockets are in use.
   * `host` is the address that the server sees from now on. @default as when the proxy was opened
   */
  async rebind(host: string = this.#clientHost): Promise<void> {
    await Promise.all([...this.#flows.values()].map(async (flow) => flow.upstream.rebind(host)));
  }

  async close(): Promise<void> {
    this.#timer.set(Infinity);
    this.#inTransit.clear();
    const flows = [...this.#flows.values()];
    this.#flows.clear();
    await Promise.all([this.#open().close(), ...flows.map(async (flow) => flow.upstream.close())]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #loopback(): string {
    return this.#server.host.includes(':') ? '::1' : '127.0.0.1';
  }

  #pass(flow: Flow, direction: Direction, datagram: Uint8Array): void {
    const fate = flow.links[direction].decide(datagram.length, performance.now());
    this.#observe?.(direction, datagram, fate, flow.number);
    for (const { atMs, flippedBit } of fate.deliveries) {
      const arriving = flippedBit === undefined ? datagram : withFlippedBit(datagram, flippedBit);
      this.#inTransit.push({ flow, direction, datagram: arriving }, atMs);
    }
    this.#deliver();
  }

  #deliver(): void {
    for (;;) {
      const parcel = this.#inTransit.take(performance.now());
      if (parcel === undefined) break;
      const { flow, direction, datagram } = parcel;
      if (direction === 'toServer') flow.upstream.send(datagram);
      else this.#front?.send(datagram, flow.client.host, flow.client.port);
    }
    this.#timer.set(this.#inTransit.nextAtMs);
  }

  #flowOf(client: Address): Flow {
    const key = `${client.host} ${client.port}`;
    const known = this.#flows.get(key);
    if (known !== undefined) {
      this.#flows.delete(key);
      this.#flows.set(key, known);
      return known;
    }
    if (this.#flows.size >= this.#flowsMax) this.#forgetOldest();
    const number = this.#flowsMade;
    this.#flowsMade += 1;
    const flow: Flow = {
      number,
      client,
      upstream: new ProxyFlow(this.#server, this.#clientHost, (datagram) => {
        this.#pass(flow, 'toClient', datagram);
      }),
      links: {
        toServer: new FaultyLink(mixedSeed(this.#seed, 2 * number), this.#faults.toServer),
        toClient: new FaultyLink(mixedSeed(this.#seed, 2 * number + 1), this.#faults.toClient),
      },
    };
    this.#flows.set(key, flow);
    return flow;
  }

  #forgetOldest(): void {
    for (const [key, flow] of this.#flows) {
      this.#flows.delete(key);
      for (const direction of ['toServer', 'toClient'] as const) {
        this.#gone[direction] = [
          sumOfStatistics([...this.#gone[direction], flow.links[direction].statistics]),
        ];
      }
      void flow.upstream.close();
      return;
    }
  }

  #open(): DatagramSocket {
    if (this.#front === undefined) throw new Error('The proxy has no socket.');
    return this.#front;
  }
}

function withFlippedBit(datagram: Uint8Array, bit: number): Uint8Array {
  const flipped = Uint8Array.from(datagram);
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}
