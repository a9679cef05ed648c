/** Many streams: one for each request, and very many at the same time. */
import type { Bench } from '../harness/model.ts';
import { openTogether } from '../workloads/open-together.ts';
import { lonelyRequests, streamPerRequest } from '../workloads/stream-per-request.ts';

const AUTO = 'quic-swarm auto';
const HTTP2 = 'HTTP/2 over TLS';
const GRPC = 'grpc-js over TLS';

export const streams: Bench = {
  name: 'streams',
  title: 'Many streams between two processes',
  rounds: 7,
  quickRounds: 2,
  contestants: [
    { name: AUTO, kind: 'ours', peer: 'quic-swarm', variant: { maxUdpPayloadBytes: 'auto' } },
    {
      name: 'quic-swarm 1350',
      kind: 'ours',
      peer: 'quic-swarm',
      variant: { maxUdpPayloadBytes: 1350 },
    },
    {
      name: '@matrixai/quic classes',
      kind: 'peer',
      peer: 'matrixai',
      // A thousand streams take it many seconds.
      roundsMax: 3,
      note: 'at most 3 rounds, 20 requests in flight (with 50 it stops answering), 200 streams together',
      settings: {
        [streamPerRequest.name]: { inFlight: 20, warmUpMs: 0, durationMs: 500 },
        [openTogether.name]: { warmUpCount: 10, count: 200 },
      },
    },
    { name: HTTP2, kind: 'peer', peer: 'http2' },
    { name: GRPC, kind: 'peer', peer: 'grpc' },
    { name: 'NATS, plain', kind: 'peer', peer: 'nats' },
  ],
  plans: [
    // First, because it runs the code so often that it is compiled when single requests are timed.
    { workload: streamPerRequest, quick: { warmUpMs: 200, durationMs: 500 } },
    { workload: lonelyRequests, quick: { warmUpMs: 100, durationMs: 250 } },
    { workload: openTogether },
  ],
  targets: [
    {
      name: 'a stream per request, 1,000 in flight, to HTTP/2 over TLS',
      unit: '×',
      comparator: '>=',
      target: 2,
      measure: (results) => results.ratio(streamPerRequest.name, 'rate', AUTO, HTTP2),
    },
    {
      name: 'a stream per request, 1,000 in flight, to grpc-js',
      unit: '×',
      comparator: '>=',
      target: 5,
      measure: (results) => results.ratio(streamPerRequest.name, 'rate', AUTO, GRPC),
    },
    {
      name: '10,000 concurrent streams',
      unit: 'ms',
      comparator: '<',
      target: 500,
      measure: (results) => results.value(openTogether.name, AUTO, 'all'),
    },
  ],
};
