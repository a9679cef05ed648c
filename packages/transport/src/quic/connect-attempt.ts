/**
 * One attempt to connect, from opening the socket to the end of the handshake. It settles once: with the connection,
 * or with the reason why there is none, after which its socket is released.
 */
import { SwarmError } from '@quic-swarm/protocol';
import { formatAddress } from '../address.ts';
import type { Address, Connection, ConnectionClosed } from '../contract.ts';
import { endedByTransport, endedLocally } from '../endings.ts';
import type { QuicConnection } from './connection/connection.ts';
import type { EndpointEvents, QuicEndpoint } from './endpoint.ts';

/** A socket and the one connection on it. */
export interface ClientEndpoint {
  readonly endpoint: QuicEndpoint;
  readonly connection: QuicConnection;
}

/** What a caller of `connect` waits for. */
export interface ConnectRequest {
  /** The address as the caller gave it, for messages. */
  readonly address: Address;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Opens the socket and starts the handshake. */
  readonly open: (events: EndpointEvents) => Promise<ClientEndpoint>;
}

/** Opens a connection; rejects with a SwarmError. */
export async function attemptConnect(request: ConnectRequest): Promise<Connection> {
  const { address, timeoutMs, signal } = request;
  throwIfAborted(signal, address);
  const where = formatAddress(address);
  let client: ClientEndpoint | undefined;
  let settle: (outcome: QuicConnection | ConnectionClosed) => void = () => undefined;
  const outcome = new Promise<QuicConnection | ConnectionClosed>((resolve) => {
    settle = resolve;
  });
  const onAbort = (): void => {
    client?.connection.abort(endedLocally({ wireCode: 0, message: 'the attempt was aborted' }));
  };
  const opened = request.open({
    // A stateless reset names no connection: its token is all that tells for whom it is, and here is only one.
    onStray: (datagram, host, port) => client?.connection.receive(datagram, host, port),
    onEarly: settle,
    onEstablished: settle,
    onEnded: (connection) => {
      client?.endpoint.unref();
      void connection.closed.then(settle);
    },
    onReleased: () => void client?.endpoint.close(),
    onSocketError: (error) => {
      // Once the handshake is complete only QUIC itself says that a peer is gone: such reports can be forged.
      if (client === undefined || client.connection.isHandshakeComplete) return;
      client.connection.abort(nobodyAt(where, error));
      client.connection.drop();
      settle(nobodyAt(where, error));
    },
  });
  client = await opened;
  signal?.addEventListener('abort', onAbort);
  client.connection.wake();
  try {
    if (signal?.aborted === true) onAbort();
    const result = await outcome;
    if ('error' in result) throw explain(result, where, timeoutMs);
    return result;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function nobodyAt(where: string, cause: Error): ConnectionClosed {
  return endedByTransport(
    'CONNECT_FAILED',
    `Nobody listens at ${where} (${cause.message}).`,
    'Start the coordinator there, or check the address.',
  );
}

function explain(ending: ConnectionClosed, where: string, timeoutMs: number): SwarmError {
  if (ending.error.type !== 'CONNECT_FAILED' && ending.error.type !== 'CONNECTION_LOST') {
    return ending.error;
  }
  if (ending.error.message.includes(where)) return ending.error;
  return new SwarmError(
    'CONNECT_FAILED',
    `No connection to ${where} within ${timeoutMs} ms: ${ending.message}`,
    { hint: 'Check the address, and that UDP may pass.', cause: ending.error },
  );
}

function throwIfAborted(signal: AbortSignal | undefined, address: Address): void {
  if (signal?.aborted === true) {
    throw new SwarmError(
      'CLOSED_LOCALLY',
      `The attempt to connect to ${formatAddress(address)} was aborted.`,
      { cause: signal.reason },
    );
  }
}
