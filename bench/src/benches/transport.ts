/** One stream: how soon an answer is back, how many small messages it carries, how many bytes. */
import type { Bench } from '../harness/model.ts';
import { oneWay } from '../workloads/one-way.ts';
import { pipelined } from '../workloads/pipelined.ts';
import { requestReply } from '../workloads/request-reply.ts';

const AUTO = 'quic-swarm auto';
const SMALL = 'quic-swarm 1350';
const HTTP2 = 'HTTP/2 over TLS';
const UDP = 'UDP 1350, plain';
const UDP_LARGE = 'UDP 9000, plain';
const MATRIXAI = '@matrixai/quic classes';

export const transport: Bench = {
  name: 'transport',
  title: 'One stream between two processes',
  rounds: 7,
  quickRounds: 2,
  contestants: [
    { name: AUTO, kind: 'ours', peer: 'quic-swarm', variant: { maxUdpPayloadBytes: 'auto' } },
    { name: SMALL, kind: 'ours', peer: 'quic-swarm', variant: { maxUdpPayloadBytes: 1350 } },
    {
      name: MATRIXAI,
      kind: 'peer',
      peer: 'matrixai',
      // It needs seconds where others need tenths: fewer rounds and bytes show its rates, in a time that can be waited for.
      roundsMax: 3,
      note: 'at most 3 rounds, 1 MiB one way',
      settings: {
        [oneWay.name]: { warmUpMib: 0.125, mib: 1 },
        [pipelined.name]: { warmUpMs: 0 },
      },
    },
    { name: HTTP2, kind: 'peer', peer: 'http2' },
    { name: 'grpc-js over TLS', kind: 'peer', peer: 'grpc' },
    { name: 'ws over TLS', kind: 'peer', peer: 'ws' },
    { name: 'NATS, plain', kind: 'peer', peer: 'nats' },
    { name: 'TCP, plain', kind: 'floor', peer: 'tcp' },
    {
      name: UDP_LARGE,
      kind: 'floor',
      peer: 'udp',
      variant: { payloadBytes: 9000 },
      workloads: [oneWay.name],
    },
    {
      name: UDP,
      kind: 'floor',
      peer: 'udp',
      variant: { payloadBytes: 1350 },
      workloads: [requestReply.name, oneWay.name],
    },
  ],
  plans: [
    // First, because it runs the code so often that it is compiled when single messages are timed.
    { workload: pipelined, quick: { warmUpMs: 150, durationMs: 300 } },
    { workload: requestReply, quick: { warmUpMs: 150, durationMs: 400, countMin: 0 } },
    { workload: oneWay },
  ],
  targets: [
    {
      name: 'request/reply p50, auto, to @matrixai/quic',
      unit: '×',
      comparator: '<=',
      target: 0.2,
      measure: (results) => results.ratio('request-reply', 'p50', AUTO, MATRIXAI),
    },
    {
      name: 'request/reply p50, auto, to HTTP/2 over TLS',
      unit: '×',
      comparator: '<=',
      target: 1.2,
      measure: (results) => results.ratio('request-reply', 'p50', AUTO, HTTP2),
    },
    {
      name: 'request/reply p99, auto',
      unit: 'ms',
      comparator: '<',
      target: 0.5,
      measure: (results) => results.value('request-reply', AUTO, 'p99'),
    },
    {
      name: 'request/reply p999, auto',
      unit: 'ms',
      comparator: '<',
      target: 2,
      measure: (results) => results.value('request-reply', AUTO, 'p999'),
    },
    {
      name: 'pipelined, 1350-byte packets',
      unit: 'messages/s',
      comparator: '>=',
      target: 300_000,
      measure: (results) => results.value('pipelined', SMALL, 'rate'),
    },
    {
      name: 'one way, 1350-byte packets',
      unit: 'Mbit/s',
      comparator: '>=',
      target: 1200,
      measure: (results) => results.value('one-way', SMALL, 'rate'),
    },
    {
      name: 'one way, large packets',
      unit: 'Mbit/s',
      comparator: '>=',
      target: 4000,
      measure: (results) => results.value('one-way', AUTO, 'rate'),
    },
    {
      name: 'one way, 1350-byte packets, to @matrixai/quic',
      unit: '×',
      comparator: '>=',
      target: 40,
      measure: (results) => results.ratio('one-way', 'rate', SMALL, MATRIXAI),
    },
  ],
};
