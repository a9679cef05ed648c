/** Spare connection ids: what lets a peer come from another address unseen (RFC 9000 §5.1). */
import { randomBytes } from 'node:crypto';
import { CONNECTION_ID_BYTES } from '../arguments.ts';
import type { QuicheConnection } from '../binding.ts';

/** Where the ids of one connection are known. */
export interface ConnectionIdBook {
  route(connectionId: Uint8Array): void;
  unroute(connectionId: Uint8Array): void;
  /** What makes the peer believe a stateless reset that names the connection id. */
  resetTokenOf(connectionId: Uint8Array): bigint;
}

/** Whoever holds the ids of many connections. */
interface ConnectionIdHolder<Connection> {
  route(connectionId: Uint8Array, connection: Connection): void;
  unroute(connectionId: Uint8Array): void;
  resetTokenOf(connectionId: Uint8Array): bigint;
}

/** The part of `holder` that is about one connection. */
export function bookFor<Connection>(
  holder: ConnectionIdHolder<Connection>,
  connection: Connection,
): ConnectionIdBook {
  return {
    route: (connectionId) => {
      holder.route(connectionId, connection);
    },
    unroute: (connectionId) => {
      holder.unroute(connectionId);
    },
    resetTokenOf: (connectionId) => holder.resetTokenOf(connectionId),
  };
}

/** Gives the peer as many as it has room for and forgets those that it gave back. */
export function exchangeConnectionIds(quiche: QuicheConnection, book: ConnectionIdBook): void {
  for (;;) {
    const retired = quiche.nextRetiredConnectionId();
    if (retired === undefined) break;
    book.unroute(retired);
  }
  for (;;) {
    const connectionId = randomBytes(CONNECTION_ID_BYTES);
    if (!quiche.offerConnectionId(connectionId, book.resetTokenOf(connectionId))) return;
    book.route(connectionId);
  }
}
