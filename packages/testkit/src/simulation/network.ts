/**
 * The network between one coordinator and everybody else: paths, attempts to connect, connections. A first flight that
 * was recorded may be played again: see {@link Network.replay}.
 */
import { failure, type Failure, type Message } from '@quic-swarm/protocol';
import type { Life } from './life.ts';
import { Path, type Side } from './path.ts';
import type { RandomStream } from './random-stream.ts';
import { SimulatedConnection, type ConnectionListener } from './simulated-connection.ts';
import type { VirtualClock } from './virtual-clock.ts';
import { probeTimeoutMs, type Weather } from './weather.ts';

/** Who accepts connections: the coordinator's present life. */
export interface Door {
  readonly life: Life;
  /** Takes a connection and says who hears of it. */
  accept(connectionId: string, name: string): ConnectionListener;
  /** The connection that goes with it stands. */
  accepted(connectionId: string, connection: SimulatedConnection): void;
}

/** An attempt to connect. */
export interface Attempt {
  readonly name: string;
  readonly life: Life;
  readonly timeoutMs: number;
  readonly listener: ConnectionListener;
  readonly onOpened: (connection: SimulatedConnection) => void;
  readonly onFailed: (reason: Failure) => void;
}

/** Told of every message that arrives. */
export type ArrivalListener = (from: string, to: string, message: Message, stream: string) => void;

/** What a network is made of. */
export interface NetworkOptions {
  readonly clock: VirtualClock;
  readonly random: RandomStream;
  readonly weather: Weather;
  /** Whether a coordinator that was started again answers for its former life. */
  readonly resetsConnections: boolean;
  readonly onArrival: ArrivalListener;
}

/** See the head of this file. */
export class Network {
  readonly #options: NetworkOptions;
  readonly #paths = new Map<string, Path>();
  #connections = 0;
  /** Undefined while no coordinator runs. */
  door: Door | undefined;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** The path between a process and the coordinator. */
  path(name: string): Path {
    const known = this.#paths.get(name);
    if (known !== undefined) return known;
    const { weather, random } = this.#options;
    const path = new Path(weather, random.fork(`path ${name}`));
    this.#paths.set(name, path);
    return path;
  }

  paths(): Iterable<Path> {
    return this.#paths.values();
  }

  /** Tries to connect; exactly one of the attempt's functions is called, unless its process dies before. */
  connect(attempt: Attempt): void {
    const { name, life, timeoutMs } = attempt;
    const state = { isOver: false };
    life.after(timeoutMs, () => {
      if (state.isOver) return;
      state.isOver = true;
      attempt.onFailed(failure('CONNECT_FAILED', `No coordinator answered ${name} in time.`));
    });
    this.#knock(attempt, state, 0);
  }

  /** The client's first packet, sent again until the attempt is over. */
  #knock(attempt: Attempt, state: { isOver: boolean }, tries: number): void {
    const { clock } = this.#options;
    const path = this.path(attempt.name);
    clock.after(path.transitMs(), () => {
      if (state.isOver || !attempt.life.isAlive) return;
      const { door } = this;
      if (path.isCutFrom('dialler') || door === undefined) {
        const againMs = probeTimeoutMs(path.weather) * 2 ** Math.min(tries, 5);
        clock.after(againMs, () => this.#knock(attempt, state, tries + 1));
        return;
      }
      door.life.receive(() => this.#open(attempt, state, door));
    });
  }

  #open(attempt: Attempt, state: { isOver: boolean }, door: Door): void {
    const { clock } = this.#options;
    const path = this.path(attempt.name);
    const connection = this.#join(attempt, door, attempt.listener, attempt.life);
    const answered = (): void => {
      if (path.isCutFrom('listener')) {
        const stop = path.onHealed(() => {
          stop();
          clock.after(path.transitMs(), answered);
        });
        return;
      }
      attempt.life.receive(() => {
        if (state.isOver || !connection.isOpen('dialler')) {
          connection.close('dialler', failure('CLOSED_LOCALLY', 'Connecting took too long.'), 0);
          return;
        }
        state.isOver = true;
        attempt.onOpened(connection);
      });
    };
    clock.after(path.transitMs(), answered);
  }

  /**
   * What a client may say before the handshake is complete (0-RTT) reaches the coordinator a second time, on a connection
   * that nobody answers for: somebody recorded it, or the network delivered the first datagram twice. Only messages of
   * EARLY_DATA_MESSAGES are acted on, and the connection ends when its handshake does not.
   */
  replay(name: string, flight: readonly (readonly [string, Message])[], endsAfterMs: number): void {
    const { door } = this;
    if (door === undefined || !door.life.isAwake) return;
    const { clock } = this.#options;
    const nobody: ConnectionListener = { onMessage: () => {}, onEnded: () => {} };
    const connection = this.#join({ name }, door, nobody, door.life);
    for (const [stream, message] of flight) connection.send('dialler', stream, message);
    clock.after(endsAfterMs, () => {
      connection.close('dialler', failure('IDLE_TIMEOUT', 'The handshake was not completed.'), 0);
    });
  }

  #join(
    { name }: { readonly name: string },
    door: Door,
    listener: ConnectionListener,
    life: Life,
  ): SimulatedConnection {
    this.#connections += 1;
    const connectionId = `${name}#${this.#connections}`;
    const { clock, onArrival, resetsConnections } = this.#options;
    const connection = new SimulatedConnection({
      connectionId,
      clock,
      path: this.path(name),
      lives: { dialler: life, listener: door.life },
      listeners: { dialler: guarded(life, listener), listener: door.accept(connectionId, name) },
      onArrival: (from: Side, message, stream) => {
        if (from === 'dialler') onArrival(name, 'coordinator', message, stream);
        else onArrival('coordinator', name, message, stream);
      },
      mayReset: () => resetsConnections && this.door !== undefined && this.door !== door,
    });
    door.accepted(connectionId, connection);
    return connection;
  }
}

/** A process that was started anew does not hear what was for its former life. */
function guarded(life: Life, listener: ConnectionListener): ConnectionListener {
  return {
    onMessage: (message, stream) => {
      if (life.isAlive) listener.onMessage(message, stream);
    },
    onEnded: (reason) => {
      if (life.isAlive) listener.onEnded(reason);
    },
  };
}
