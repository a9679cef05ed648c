/** The conformance suite over every transport. */
import { describeTransportConformance } from '@quic-swarm/testkit';
import {
  createQuicTransport,
  createSelfSignedCertificate,
  MemoryNetwork,
} from '@quic-swarm/transport';

const identity = createSelfSignedCertificate({ commonName: 'coordinator', hosts: ['127.0.0.1'] });
const trust = { fingerprints: [identity.fingerprint] };

describeTransportConformance('memory', () => {
  const transport = new MemoryNetwork().transport();
  return { server: transport, client: transport };
});

describeTransportConformance('QUIC over loopback', () => ({
  server: createQuicTransport({ server: identity }),
  client: createQuicTransport({ client: { trust } }),
}));

describeTransportConformance(
  'QUIC in packets of 1350 bytes',
  () => ({
    server: createQuicTransport({ server: identity, maxUdpPayloadBytes: 1350 }),
    client: createQuicTransport({ client: { trust }, maxUdpPayloadBytes: 1350 }),
  }),
  { transferBytes: 8_000_000 },
);
