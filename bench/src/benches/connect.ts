/** New connections: cold, and with what an earlier one left. */
import type { Bench } from '../harness/model.ts';
import { connectCold, connectResumed } from '../workloads/connect.ts';

export const connect: Bench = {
  name: 'connect',
  title: 'New connections between two processes',
  rounds: 9,
  quickRounds: 3,
  contestants: [
    { name: 'quic-swarm', kind: 'ours', peer: 'quic-swarm' },
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
  // What a round trip is worth does not show over loopback, so no figure here is a promise.
  targets: [],
};
