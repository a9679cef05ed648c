/** Connections with streams between two processes: the contract, its implementations, and what belongs to them. */
export type * from './contract.ts';
export * from './address.ts';
export * from './certificates.ts';
export * from './fingerprint.ts';
export * from './reconnect.ts';
export { HIGH_WATER_BYTES, LOW_WATER_BYTES } from './endings.ts';
export { createQuicTransport } from './quic/transport.ts';
export type { QuicTransportOptions } from './quic/options.ts';
export { MemorySessionStore, type SessionStore } from './quic/sessions.ts';
export type { ClientTls, Identity, ServerTls, Trust } from './quic/trust.ts';
export type { ListenerLimits } from './quic/listener/acceptor.ts';
export type {
  DatagramSocket,
  DatagramSocketFactory,
  DatagramSocketOptions,
} from './quic/socket.ts';
export { openDatagramSocket } from './quic/socket.ts';
export {
  defaultStateDirectory,
  developmentFingerprint,
  loadOrCreateDevelopmentIdentity,
} from './development-identity.ts';
export {
  listeningTransport,
  transportTo,
  type CoordinatorSecurity,
  type SecurityOptions,
} from './security.ts';
export { MemoryNetwork } from './memory/network.ts';
export { compressionModeOf } from './compression/judge.ts';
export { Inflation } from './compression/deflate.ts';
export { PayloadCoder, decoded, deliverDecoded } from './compression/payload-coder.ts';
