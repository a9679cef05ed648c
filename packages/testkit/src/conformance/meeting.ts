/** A listener and a client that have met: where most tests of a transport begin. */
import type { Connection, Listener, Transport } from '@quic-swarm/transport';
import { deferred } from './streams.ts';

/** A transport that listens and one that connects to it. They may be the same. */
export interface TransportPair {
  readonly server: Transport;
  readonly client: Transport;
}

/** One connection seen from both sides, and what it came from. */
export interface Meeting {
  readonly transports: TransportPair;
  readonly listener: Listener;
  readonly client: Connection;
  readonly server: Connection;
}

/** Gives the meeting of the running test. */
export type MeetingSource = () => Meeting;

const LOOPBACK = { host: '127.0.0.1', port: 0 } as const;

/** Lets a listener and a client meet. `onServer` runs inside `onConnection`. */
export async function meet(
  transports: TransportPair,
  onServer: (connection: Connection) => void = () => undefined,
): Promise<Meeting> {
  const accepted = deferred<Connection>();
  const listener = await transports.server.listen({
    address: LOOPBACK,
    onConnection: (connection) => {
      onServer(connection);
      accepted.resolve(connection);
    },
  });
  const client = await transports.client.connect(listener.address);
  return { transports, listener, client, server: await accepted.promise };
}
