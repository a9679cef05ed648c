/**
 * The settings of quiche, each with its reason. One object per datagram size and side is shared by all connections.
 */
import { createConfig, type QuicheConfig, type TlsMaterial } from './binding.ts';

/** What a transport may be told about its connections; `createQuicTransport` fills in the defaults. */
export interface ConnectionSettings {
  readonly alpn: string;
  /** A connection from which nothing was heard for so long is lost. */
  readonly idleTimeoutMs: number;
  /** After so long without a word the peer is asked for one; 0 never asks. */
  readonly keepAliveMs: number;
  /** How many streams a peer may have open at once. */
  readonly streamsMax: number;
  /** How many bytes a peer may send on one stream before they are read. */
  readonly streamWindowBytes: number;
  /** The same for all streams of a connection together. */
  readonly connectionWindowBytes: number;
  /** After so long a listener closes a connection; 0 never does. */
  readonly connectionAgeMaxMs: number;
  /** After so long a listener seals tickets with another key. */
  readonly ticketKeyLifetimeMs: number;
}

/** Datagrams on a path whose MTU is not known: an Ethernet frame of 1,500 bytes with room for a tunnel. */
export const PATH_PAYLOAD_BYTES = 1350;

/** Datagrams on the loopback interface: 3 times the throughput of 1350, and nothing is gained above. */
export const LOOPBACK_PAYLOAD_BYTES = 9000;

/** The most that is probed for where the path is not loopback: a jumbo frame of 9,000 bytes and no fragment. */
export const PROBED_PAYLOAD_BYTES_MAX = 8952;

/** How one object of settings differs from the others. */
export interface ConfigVariant {
  /** Bytes of the largest UDP payload that is sent. */
  readonly payloadBytes: number;
  /** Whether data may flow before the handshake is complete. */
  readonly earlyData: boolean;
  /** With which a server seals its session tickets; undefined for clients. */
  readonly ticketKey: Uint8Array | undefined;
}

/** The window of a connection begins at 48 KiB, and is at least 1.5 times that of any of its streams. */
const FIRST_CONNECTION_WINDOW_BYTES = 48 * 1024;
const CONNECTION_WINDOW_FACTOR = 1.5;

/**
 * The window that quiche may never exceed. Its two rules above do not ask for the maximum; but the next time that the window
 * would grow, quiche 0.18 cuts it to the maximum, and with it what the peer was already promised: a peer that made use of
 * the promise was accused of FLOW_CONTROL_ERROR. So the maximum is not below what the rules demand.
 */
function connectionWindowMax({
  streamWindowBytes,
  connectionWindowBytes,
}: ConnectionSettings): number {
  return Math.max(
    connectionWindowBytes,
    FIRST_CONNECTION_WINDOW_BYTES,
    Math.ceil(CONNECTION_WINDOW_FACTOR * streamWindowBytes),
  );
}

/** Builds the settings for one kind of connections. */
export function buildConfig(
  tls: TlsMaterial,
  settings: ConnectionSettings,
  { payloadBytes, earlyData, ticketKey }: ConfigVariant,
): QuicheConfig {
  const config = createConfig(tls);
  if (earlyData) config.enableEarlyData();
  if (ticketKey !== undefined) config.setTicketKey(ticketKey);
  config.setApplicationProtos([settings.alpn]);
  config.setMaxIdleTimeout(settings.idleTimeoutMs);
  // Any datagram that arrives is read; what is sent is bounded by what the path surely carries.
  config.setMaxRecvUdpPayloadSize(65_527);
  config.setMaxSendUdpPayloadSize(payloadBytes);
  // Large windows keep one stream busy over a long path: 16 MiB is 1 Gbps at 130 ms.
  config.setInitialMaxData(settings.connectionWindowBytes);
  config.setMaxConnectionWindow(connectionWindowMax(settings));
  config.setInitialMaxStreamDataBidiLocal(settings.streamWindowBytes);
  config.setInitialMaxStreamDataBidiRemote(settings.streamWindowBytes);
  config.setMaxStreamWindow(settings.streamWindowBytes);
  // Only bidirectional streams exist in the contract. A peer may open the three unidirectional ones without which tools
  // made for HTTP/3 break off the handshake (RFC 9114 §6.2), but not send a byte on them.
  config.setInitialMaxStreamDataUni(0);
  config.setInitialMaxStreamsUni(3);
  config.setInitialMaxStreamsBidi(settings.streamsMax);
  // Node has no way to send a datagram at a given time, so nobody reads the times that pacing produces. Without it, though,
  // quiche 0.18 notes for each datagram the time at which a burst began, up to four round trips ago while the congestion
  // window is small; on a path of 4 ms that loses one datagram in twenty, it soon believed in seconds, and waited them.
  config.enablePacing(true);
  // Random versions and parameters keep the public internet honest; between our own processes they cost bytes.
  config.grease(false);
  // A client behind NAT changes its port without knowing. quiche 0.18 wants a fresh connection id for each address and
  // never forgets one, so this bounds how often one connection can move: seven times.
  config.setDisableActiveMigration(false);
  config.setActiveConnectionIdLimit(8);
  return config;
}
