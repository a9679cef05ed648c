/** Why a connection ended that quiche holds for over, as data. */
import type { Address, ConnectionClosed } from '../../contract.ts';
import { endedByPeer, endedByTransport, endedInSilence } from '../../endings.ts';
import { endedByFrame } from './alerts.ts';
import type { QuicheConnection } from '../binding.ts';

/** What the connection knows itself. */
export interface EndedConnection {
  readonly quiche: QuicheConnection;
  /** How this side was ending it, if it was. */
  readonly closing: ConnectionClosed | undefined;
  readonly isEstablished: boolean;
  readonly remoteAddress: Address;
  readonly idleTimeoutMs: number;
}

/** The peer's word goes before ours, ours before what quiche found, and silence is last. */
export function explainEnding(ended: EndedConnection): ConnectionClosed {
  const { quiche, closing, isEstablished, remoteAddress, idleTimeoutMs } = ended;
  const peer = quiche.peerError();
  if (peer !== undefined) {
    const reason = { wireCode: peer.code, message: peer.reason };
    return peer.isApplication ? endedByPeer(reason) : endedByFrame(peer, true);
  }
  if (closing !== undefined) return closing;
  const local = quiche.localError();
  if (local !== undefined) return endedByFrame(local, false);
  if (!isEstablished) {
    return endedByTransport('CONNECT_FAILED', 'The handshake was not completed in time.');
  }
  const where = `${remoteAddress.host}, port ${remoteAddress.port},`;
  if (quiche.isTimedOut()) {
    return endedInSilence(`Nothing was heard from ${where} for ${idleTimeoutMs} ms.`);
  }
  return endedByTransport(
    'CONNECTION_LOST',
    `The process at ${where} does not know the connection any more (stateless reset): it was started again.`,
  );
}
