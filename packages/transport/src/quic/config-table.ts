/**
 * The TLS contexts of one transport. Building one parses certificates, so that connections of one kind share one: by
 * side, by the largest datagram, and by whether early data is wanted.
 */
import { SwarmError } from '@quic-swarm/protocol';
import type { QuicheConfig } from './binding.ts';
import {
  buildConfig,
  LOOPBACK_PAYLOAD_BYTES,
  PATH_PAYLOAD_BYTES,
  PROBED_PAYLOAD_BYTES_MAX,
  type ConnectionSettings,
} from './config.ts';
import type { QuicTransportOptions } from './options.ts';
import type { PayloadRange } from './path/path-probe.ts';
import { TicketKey } from './sessions.ts';
import { isLoopback } from './socket.ts';
import { clientMaterial, serverMaterial } from './trust.ts';

/** Builds settings of quiche when they are first needed, and again when the key of the tickets changed. */
export class ConfigTable {
  readonly #options: QuicTransportOptions;
  readonly #settings: ConnectionSettings;
  readonly #ticketKey: TicketKey;
  readonly #clients = new Map<string, QuicheConfig>();
  readonly #servers = new Map<string, QuicheConfig>();
  /** With which the servers' settings were built. */
  #serversKey: Uint8Array | undefined;

  constructor(options: QuicTransportOptions, settings: ConnectionSettings) {
    this.#options = options;
    this.#settings = settings;
    this.#ticketKey = new TicketKey(settings.ticketKeyLifetimeMs);
  }

  /** For connections that are accepted. Throws BAD_OPTION. */
  server(payloadBytes: number, earlyData: boolean): QuicheConfig {
    const { server, signatureAlgorithms } = this.#options;
    if (server === undefined) throw new SwarmError('BAD_OPTION', 'No TLS options of a server.');
    const ticketKey = this.#ticketKey.current();
    if (ticketKey !== this.#serversKey) this.#servers.clear();
    this.#serversKey = ticketKey;
    return cached(this.#servers, `${payloadBytes} ${earlyData}`, () =>
      buildConfig(serverMaterial(server, signatureAlgorithms), this.#settings, {
        payloadBytes,
        earlyData,
        ticketKey,
      }),
    );
  }

  /** For connections that are made. Throws BAD_OPTION. */
  client(payloadBytes: number, earlyData: boolean): QuicheConfig {
    const { client, signatureAlgorithms } = this.#options;
    if (client === undefined) throw new SwarmError('BAD_OPTION', 'No TLS options of a client.');
    return cached(this.#clients, `${payloadBytes} ${earlyData}`, () =>
      buildConfig(clientMaterial(client, signatureAlgorithms), this.#settings, {
        payloadBytes,
        earlyData,
        ticketKey: undefined,
      }),
    );
  }
}

/**
 * The sizes of datagrams for a peer. `interfaceBytes` is the UDP payload that this machine's interface towards the peer
 * takes; undefined where that is not known.
 */
export function payloadRange(
  option: QuicTransportOptions['maxUdpPayloadBytes'],
  remoteHost: string,
  interfaceBytes: number | undefined,
): PayloadRange {
  if (typeof option === 'number') return { startBytes: option, ceilingBytes: option };
  if (typeof option === 'object') {
    return { startBytes: PATH_PAYLOAD_BYTES, ceilingBytes: option.probeUpTo };
  }
  if (isLoopback(remoteHost)) {
    return { startBytes: LOOPBACK_PAYLOAD_BYTES, ceilingBytes: LOOPBACK_PAYLOAD_BYTES };
  }
  const ceilingBytes = Math.min(interfaceBytes ?? PATH_PAYLOAD_BYTES, PROBED_PAYLOAD_BYTES_MAX);
  return {
    startBytes: PATH_PAYLOAD_BYTES,
    ceilingBytes: Math.max(ceilingBytes, PATH_PAYLOAD_BYTES),
  };
}

function cached<Value>(table: Map<string, Value>, key: string, make: () => Value): Value {
  const known = table.get(key);
  if (known !== undefined) return known;
  const made = make();
  table.set(key, made);
  return made;
}
