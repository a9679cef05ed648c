/** The figures of one connection, as quiche and the search for larger datagrams have them. */
import type { ConnectionStatistics } from '../../contract.ts';
import type { QuicheConnection } from '../binding.ts';

/** @param udpPayloadBytes the largest datagram that is sent now */
export function statisticsOf(
  quiche: QuicheConnection,
  udpPayloadBytes: number,
): ConnectionStatistics {
  const { sentBytes, recvBytes, sent, recv, lost } = quiche.stats();
  const { roundTripMs, deliveryRate } = quiche.path();
  return {
    bytesSent: sentBytes,
    bytesReceived: recvBytes,
    packetsSent: sent,
    packetsReceived: recv,
    packetsLost: lost,
    roundTripMs,
    deliveredBytesPerMs: deliveryRate / 1000,
    isResumed: quiche.isResumed(),
    udpPayloadBytes,
  };
}

/** What else quiche knows of a connection. */
export function diagnosisOf(quiche: QuicheConnection): Readonly<Record<string, unknown>> {
  return {
    isReadable: quiche.isReadable(),
    isDraining: quiche.isDraining(),
    quicheTimeoutMs: quiche.timeoutMs(),
    ...quiche.stats(),
    ...quiche.path(),
  };
}
