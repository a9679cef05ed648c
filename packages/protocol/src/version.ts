/** Which protocol two processes speak. */
import { SwarmError } from './errors.ts';

/** The protocol name in the TLS handshake (ALPN, RFC 7301). */
export const ALPN = 'neural-trader-quic';

/** The oldest and newest protocol version that this code speaks. */
export const PROTOCOL_MIN: number = 1;
export const PROTOCOL_MAX: number = 1;

/** Optional parts of the protocol; a coordinator lists those that it offers in its acknowledgement. */
export const FEATURES = [
  'durable',
  'dependencies',
  'fairness',
  'hedging',
  'compression',
  'shards',
  'learning',
  'bounds',
] as const;

/** One of {@link FEATURES}. */
export type Feature = (typeof FEATURES)[number];

/** The newest version that both sides speak; throws VERSION_MISMATCH when there is none. */
export function negotiateVersion(peer: { protocolMin: number; protocolMax: number }): number {
  const version = Math.min(PROTOCOL_MAX, peer.protocolMax);
  if (version < PROTOCOL_MIN || version < peer.protocolMin) {
    throw new SwarmError(
      'VERSION_MISMATCH',
      `The peer speaks protocol versions ${peer.protocolMin} to ${peer.protocolMax}, this side ${PROTOCOL_MIN} to ${PROTOCOL_MAX}.`,
      { hint: 'Install the same release of quic-swarm on both machines.' },
    );
  }
  return version;
}
