/** What a connection over quiche is made of; `QuicConnection` stands for its class, which imports this file. */
import type { SwarmError } from '@quic-swarm/protocol';
import type { Address } from '../../contract.ts';
import type { QuicheConnection } from '../binding.ts';
import type { PayloadRange } from '../path/path-probe.ts';

/** What a connection needs from the endpoint that holds it. */
export interface ConnectionHost<QuicConnection> {
  /** As {@link DatagramSocket.send}. */
  send(datagram: Uint8Array, host: string, port: number): boolean;
  /** Datagrams for the connection id belong to the connection from now on. */
  route(connectionId: Uint8Array, connection: QuicConnection): void;
  unroute(connectionId: Uint8Array): void;
  /** What makes the peer believe a stateless reset that names the connection id. */
  resetTokenOf(connectionId: Uint8Array): bigint;
  /** Early data may flow: the application can use the connection. */
  early(connection: QuicConnection): void;
  /** The handshake is complete and the peer's certificate was accepted. */
  established(connection: QuicConnection): void;
  /** The connection has ended; the application was told. */
  ended(connection: QuicConnection): void;
  /** Nothing more will be sent or understood: forget the connection. */
  released(connection: QuicConnection): void;
}

/** What a connection is made of. */
export interface ConnectionParts<QuicConnection> {
  readonly quiche: QuicheConnection;
  readonly host: ConnectionHost<QuicConnection>;
  readonly side: 'client' | 'server';
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly idleTimeoutMs: number;
  readonly keepAliveMs: number;
  /** After so long this side closes the connection, so that its peer makes a new one; 0 never does. */
  readonly ageMaxMs: number;
  /** The same after so many streams of the peer that did not end well: quiche 0.18 keeps the places of some of them. */
  readonly abandonedStreamsMax: number;
  readonly handshakeTimeoutMs: number;
  /** How large the datagrams may be. */
  readonly payload: PayloadRange;
  /** Judges the peer's certificate once the handshake is complete, before anything is sent: why not, if not. */
  readonly refuseCertificate: (certificate: Uint8Array | undefined) => SwarmError | undefined;
  /** Whether the application wants the connection before its handshake is complete, if early data flows. */
  readonly earlyData: boolean;
  /** Takes the ticket of this session, once; a client's. */
  readonly onSession?: (session: Uint8Array) => void;
}
