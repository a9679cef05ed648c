/** New connections: cold, and with what an earlier one left. */
import type { Bench } from '../harness/model.ts';
import { connectCold, connectResumed } from '../workloads/connect.ts';

const OURS = 'quic-swarm';
const FAR_MS = 20;
const FAR = `quic-swarm, ${FAR_MS} ms farther`;

export const connect: Bench = {
  name: 'connect',
  title: 'New connections between two processes',
  rounds: 9,
  quickRounds: 3,
  contestants: [
    { name: OURS, kind: 'ours', peer: 'quic-swarm' },
    { name: FAR, kind: 'ours', peer: 'quic-swarm', variant: { farMs: FAR_MS } },
    {
      name: '@matrixai/quic classes',
      kind: 'peer',
      peer: 'matrixai',
      roundsMax: 3,
      note: 'at most 3 rounds',
      settings: { [connectCold.name]: { warmUpCount: 2, count: 10 } },
    },
    { name: 'TLS over TCP', kind: 'peer', peer: 'tls' },
    { name: 'HTTP/2 over TLS', kind: 'peer', peer: 'http2' },
    { name: 'grpc-js over TLS', kind: 'peer', peer: 'grpc' },
    { name: 'ws over TLS', kind: 'peer', peer: 'ws' },
    { name: 'TCP, plain', kind: 'floor', peer: 'tcp' },
  ],
  plans: [
    { workload: connectCold, quick: { warmUpCount: 5, count: 20 } },
    { workload: connectResumed, quick: { warmUpCount: 5, count: 20 } },
  ],
  // What a round trip is worth does not show over loopback, only over the longer way.
  targets: [
    {
      // One round trip, and half of another for everything that is not the way.
      name: 'first answer to a client that comes back, in round trips of 20 ms',
      unit: 'round trips',
      comparator: '<=',
      target: 1.5,
      measure: (results) =>
        inRoundTrips(results.value(connectResumed.name, FAR, 'first answer p50')),
    },
  ],
};

function inRoundTrips(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / FAR_MS;
}
