/** Carries out what `PathProbe` decides for one connection: sends questions, answers those of the peer. */
import { randomBytes } from 'node:crypto';
import { CONNECTION_ID_BYTES } from '../arguments.ts';
import type { QuicheConnection } from '../binding.ts';
import { PathProbe, type PayloadRange } from './path-probe.ts';
import { decodeProbe, encodeProbe, type ProbePacket } from './probe-packet.ts';

/** Sends one datagram. */
export type SendDatagram = (datagram: Uint8Array, host: string, port: number) => unknown;

/** The acting half of the path's discovery. */
export class PathProber {
  readonly decisions: PathProbe;
  readonly #quiche: QuicheConnection;
  readonly #send: SendDatagram;
  readonly #safeBytes: number;
  /** A peer that never got a probe cannot answer it. */
  readonly #nonce = randomBytes(8);

  constructor(range: PayloadRange, quiche: QuicheConnection, send: SendDatagram) {
    this.decisions = new PathProbe(range);
    this.#safeBytes = range.startBytes;
    this.#quiche = quiche;
    this.#send = send;
  }

  /** A datagram of so many bytes was sent. */
  sent(bytes: number): void {
    if (bytes > this.#safeBytes) this.decisions.noteSent(1);
  }

  /** Takes a datagram beside QUIC from the peer. */
  receive(datagram: Uint8Array, host: string, port: number, nowMs: number): void {
    const packet = decodeProbe(datagram);
    if (packet === undefined) return;
    if (packet.kind === 'ask') {
      // Whoever asks knows a connection id of ours, and the answer is far shorter than the question.
      this.#transmit({ ...packet, kind: 'answer' }, host, port);
    } else if (this.#nonce.equals(packet.nonce)) {
      this.decisions.answered(packet.size, nowMs);
    }
  }

  /** The connection's timer went off; `hasTimedOut`: because the loss detection waited in vain. */
  tick(hasTimedOut: boolean, peer: { host: string; port: number }, nowMs: number): void {
    if (hasTimedOut) this.decisions.noteTimeout(nowMs);
    if (this.decisions.isSuspicious) this.decisions.noteLosses(this.#quiche.stats().lost, nowMs);
    const size = this.decisions.poll(nowMs);
    if (size !== undefined) {
      this.#transmit({ kind: 'ask', nonce: this.#nonce, size }, peer.host, peer.port);
    }
  }

  #transmit(packet: ProbePacket, host: string, port: number): void {
    const connectionId = this.#quiche.peerConnectionId();
    // Ids of another length are of an endpoint of another make, which would not answer.
    if (connectionId.length !== CONNECTION_ID_BYTES) return;
    this.#send(encodeProbe(connectionId, packet), host, port);
  }
}
