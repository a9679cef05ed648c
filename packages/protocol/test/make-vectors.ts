/**
 * The test vectors of docs/protocol.md. Run it to write vectors.json: `npx tsx --conditions=source
 * packages/protocol/test/make-vectors.ts`. The test beside it checks the file against a second implementation of CBOR.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type MESSAGES,
  TABLE_MEDIA_TYPE,
  encodeFrame,
  encodeTable,
  type Message,
} from '../src/index.ts';
import { encodeCbor } from '../src/cbor.ts';
import { bytesToHex, fromReadable, type Readable } from './support/tiny-cbor.ts';

type ReadableBody = Readonly<Record<string, Readable>>;

/** What vectors.json holds. */
export interface Vectors {
  readonly about: string;
  /** One frame each. */
  readonly messages: readonly { name: string; type: string; body: ReadableBody; hex: string }[];
  /** Frames one after the other, and the messages that a receiver makes of them. */
  readonly streams: readonly {
    name: string;
    hex: string;
    messages: readonly { type: string; body: ReadableBody }[];
  }[];
  /** Payloads: the input or the result of a task type. */
  readonly documents: readonly {
    name: string;
    taskType: string;
    role: 'input' | 'result';
    value: ReadableBody;
    hex: string;
  }[];
  /** Payloads as they travel encoded, and what they decode to. */
  readonly encoded: readonly { name: string; encoding: string; hex: string; decodedHex: string }[];
  readonly tables: readonly { name: string; columns: ReadableBody; hex: string }[];
  /** Bytes at the beginning of a stream that a receiver must refuse, and the error it names. */
  readonly refused: readonly { name: string; hex: string; error: string }[];
}

const taskId = '0192f0c1-2b3c-7d4e-8f50-112233445566';
const otherTaskId = '0192f0c1-2b3c-7d4e-8f50-112233445577';
const datasetId = 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
/** A document of 1,283 bytes, a text that says `1628.75,` 160 times, as raw DEFLATE. Given, since libraries differ. */
const ENCODED = 'ab6465303433b2d03337d519a547c361341d8ce68391560e0000';
const lease = { epoch: 1, taskId, attempt: 2 };
const failure = {
  code: 'UNKNOWN',
  type: 'RangeError',
  message: 'band is larger than the query',
  retryable: false,
  hint: 'Use a band below 64.',
  retryAfterMs: 250,
  stack: 'RangeError: band is larger than the query\n    at search (worker.js:7:9)',
  causes: [{ type: 'TypeError', message: 'grün 水 😀' }],
};
const grants = { payloadBytesMax: 268_435_456, datasetBytesMax: 1_073_741_824, streamsMax: 20_000 };
const shard = { of: taskId, index: 1, count: 4, start: 3, end: 6 };
const arm = { algorithm: 'dtw', band: 12, scale: 0.5, normalise: true };
const percentiles = { p50Ms: 1.25, p90Ms: 3, p99Ms: 9.5, maxMs: 12 };
const work = {
  succeeded: 10,
  failed: 1,
  cancelled: 0,
  timedOut: 0,
  retried: 2,
  successRate: 0.875,
  compute: percentiles,
  total: percentiles,
};
const verdict = {
  taskType: 'PatternMatch',
  candidateArmId: 'band=12',
  incumbentArmId: 'band=6',
  decision: 'adopt',
  pairs: 240,
  meanDifference: 0.0625,
  lower: 0.015625,
  upper: 0.109375,
  logEvidence: 4.5,
  logEvidenceAgainst: -3.25,
  alpha: 0.05,
  unpaired: 3,
  explanation: '3 experiences were not resolved.',
};
const prediction = { mean: 101.5, q05: 99, q50: 101.25, q95: 104, probability: 0.625 };
const experience = {
  experienceId: 'e-1',
  taskId,
  agentId: 'agent-1',
  agentType: 'pattern',
  taskType: 'PatternMatch',
  context: { $float64: [0.5, 'NaN', '-Infinity'] },
  contextVersion: 1,
  arm,
  armId: 'band=12',
  propensity: 0.25,
  latencyMs: 12.5,
  computeMs: 11,
  issuedAtStep: 1000,
};

const bodies: readonly (readonly [
  name: string,
  type: keyof typeof MESSAGES,
  body: ReadableBody,
])[] = [
  [
    'an agent introduces itself',
    'AgentHandshake',
    {
      protocolMin: 1,
      protocolMax: 1,
      agentId: 'agent-1',
      agentType: 'pattern',
      slots: 4,
      capabilities: ['PatternMatch', 'my.task'],
      labels: { zone: 'a' },
      resources: { cores: 8, memoryBytes: 16e9 },
      heldLeases: [lease],
      sessionToken: 'dG9rZW4',
      software: 'quic-swarm 0.1.0',
    },
  ],
  [
    'the agent is registered',
    'AgentAck',
    {
      protocol: 1,
      sessionToken: 'dG9rZW4',
      epoch: 1,
      heartbeatIntervalMs: 500,
      heartbeatTimeoutMs: 3000,
      idleHeartbeatIntervalMs: 2500,
      idleHeartbeatTimeoutMs: 9000,
      reconnectGraceMs: 10_000,
      streams: ['dispatch', 'task', 'dataset'],
      grants,
      features: [],
      resumedLeases: [lease],
    },
  ],
  [
    'a client introduces itself',
    'ClientHandshake',
    {
      protocolMin: 1,
      protocolMax: 1,
      clientName: 'swarm',
      software: 'quic-swarm 0.1.0',
    },
  ],
  [
    'the client may go on',
    'ClientAck',
    {
      protocol: 1,
      sessionToken: 'dG9rZW4',
      epoch: 1,
      streams: ['client', 'task', 'dataset'],
      grants,
      features: ['durable', 'compression'],
    },
  ],
  ['the dispatch stream', 'StreamOpen', { purpose: 'dispatch' }],
  ['a stream for one large message', 'StreamOpen', { purpose: 'task', taskId }],
  ['a farewell', 'Goodbye', { reason: 'The agent was stopped.' }],
  [
    'what it can decode',
    'EncodingOffer',
    { encodings: ['deflate-raw', 'an-encoding-of-tomorrow'] },
  ],
  ['new handlers', 'CapabilityUpdate', { capabilities: ['PatternMatch', 'my.other-task'] }],
  [
    'a task with a small input',
    'AgentTask',
    {
      ...lease,
      dispatchSequence: 7,
      taskType: 'my.task',
      datasets: [datasetId],
      after: [otherTaskId],
      startToCloseMs: 300_000,
      arm,
      shard,
      payload: { $bytes: 'a16473656564182a' },
    },
  ],
  [
    'a task whose input follows',
    'AgentTask',
    {
      ...lease,
      dispatchSequence: 8,
      taskType: 'my.task',
      datasets: [],
      startToCloseMs: 300_000,
      payloadBytes: 100_000,
      payloadEncoding: { name: 'deflate-raw', decodedBytes: 400_000 },
    },
  ],
  ['a worker has begun', 'TaskStarted', lease],
  ['half of it is done', 'TaskProgress', { ...lease, fraction: 0.5, text: '512 of 1024 windows' }],
  [
    'the first partial result',
    'ResultChunk',
    { ...lease, sequence: 0, payload: { $bytes: '1903e8' } },
  ],
  [
    'a large partial result is announced',
    'ResultChunk',
    {
      ...lease,
      sequence: 1,
      payloadBytes: 70_000,
      payloadEncoding: { name: 'deflate-raw', decodedBytes: 280_000 },
    },
  ],
  [
    'a result',
    'TaskCompletion',
    {
      ...lease,
      outcome: 'succeeded',
      resultType: 'PatternMatchResult',
      chunkCount: 2,
      computeMs: 11.5,
      waitMs: 0.25,
      arm,
      predicted: prediction,
      alternatives: [{ arm: { ...arm, band: 6 }, predicted: { mean: -0.5 } }],
      payload: { $bytes: 'f5' },
    },
  ],
  [
    'a failure',
    'TaskCompletion',
    { ...lease, outcome: 'failed', failure, chunkCount: 0, computeMs: 1, waitMs: 0 },
  ],
  [
    'a large result is announced',
    'TaskCompletion',
    {
      ...lease,
      outcome: 'succeeded',
      chunkCount: 0,
      computeMs: 1,
      waitMs: 0,
      payloadBytes: 1_000_000,
      payloadEncoding: { name: 'deflate-raw', decodedBytes: 3_000_000 },
    },
  ],
  ['a negative answer', 'ErrorReport', { requestId: 9, taskId, failure }],
  ['a task is acknowledged', 'MessageAck', { lease, status: 'PROCESSED' }],
  ['the end of a durable task was heard of', 'MessageAck', { taskId, status: 'RECEIVED' }],
  [
    'a task is not taken',
    'MessageAck',
    {
      requestId: 3,
      lease,
      status: 'REJECTED',
      failure: {
        code: 'UNAVAILABLE',
        type: 'DRAINING',
        message: 'The agent is leaving.',
        retryable: true,
      },
    },
  ],
  [
    'an agent must stop a task',
    'CancelTask',
    { taskId, epoch: 1, attempt: 2, reason: 'not wanted any more', graceMs: 1000 },
  ],
  ['a client wants a task to stop', 'CancelTask', { requestId: 4, taskId, reason: '', graceMs: 0 }],
  ['leases come back', 'LeaseReturn', { leases: [lease], reason: 'draining' }],
  ['leases are wanted back', 'LeaseRecall', { leases: [lease] }],
  ['room for five tasks', 'CreditGrant', { credit: 5 }],
  ['a shard wants to hear of bounds', 'ShardBound', { ...lease }],
  ['no window further away matters', 'ShardBound', { ...lease, distance: 1.5 }],
  ['finish and leave', 'Drain', { deadlineMs: 10_000, reason: 'An operator asked for it.' }],
  ['the first bytes of a payload', 'PayloadChunk', { offset: 0, bytes: { $bytes: '00ff10' } }],
  [
    'an agent gets no new work',
    'AgentControl',
    { requestId: 5, agentId: 'agent-1', action: 'cordon', deadlineMs: 0 },
  ],

  [
    'a decision',
    'ReasoningExperience',
    {
      ...experience,
      predicted: prediction,
      confidence: 0.75,
      seriesId: 'DAX',
      shadowOf: 'e-0',
    },
  ],
  [
    'how it turned out',
    'ReasoningExperience',
    {
      ...experience,
      actual: -0.125,
      baseline: 0.25,
      loss: 0.375,
      utility: 0.625,
      resolvedAtStep: 1010,
    },
  ],
  ['what the evidence says', 'Verdict', verdict],
  [
    'use another arm',
    'AdaptationSuggestion',
    {
      suggestionId: 's-1',
      agentType: 'pattern',
      taskType: 'PatternMatch',
      from: { band: 6 },
      to: { band: 12 },
      evidence: verdict,
      canaryPercent: 10,
      expiresInMs: 3_600_000,
    },
  ],
  [
    'the other arm is used',
    'AdaptationAck',
    { suggestionId: 's-1', accepted: false, reason: 'unknown arm' },
  ],
  [
    'what can be tuned',
    'TunableOffer',
    {
      tunables: [
        {
          taskType: 'my.task',
          arms: [
            { window: 20, z: true },
            { window: 40, z: true },
          ],
          loss: 'squared',
        },
        { taskType: 'my.other-task', arms: [{ how: 'fast' }, { how: 'slow' }], loss: 'brier' },
      ],
    },
  ],
  [
    'how a task turned out',
    'TaskOutcome',
    { requestId: 12, taskId, actual: -0.125, loss: 0.25, utility: 0.75, step: 1010 },
  ],
  [
    'why did it get its arm',
    'QueryReasoning',
    { requestId: 13, view: 'explain', taskType: 'PatternMatch', taskId },
  ],
  [
    'what is learnt about task types',
    'ReasoningReport',
    {
      requestId: 14,
      view: 'types',
      types: [
        {
          taskType: 'PatternMatch',
          arms: 24,
          defaultArmId: 'band=6',
          incumbentArmId: 'band=6',
          stage: 'canary',
          candidateArmId: 'band=12',
          canaryPercent: 10,
          recorded: 1200,
          resolved: 1100,
          changes: 1,
        },
      ],
    },
  ],
  [
    'what is known of its arms',
    'ReasoningReport',
    {
      requestId: 15,
      view: 'arms',
      arms: [
        {
          armId: 'band=12',
          arm,
          isDefault: false,
          isIncumbent: false,
          recorded: 300,
          resolved: 280,
          scored: 560,
          meanUtility: 0.625,
          meanComputeMs: 1.5,
          verdict,
        },
        {
          armId: 'band=6',
          arm: { ...arm, band: 6 },
          isDefault: true,
          isIncumbent: true,
          recorded: 0,
          resolved: 0,
          scored: 0,
        },
      ],
    },
  ],
  [
    'what its agents have shown',
    'ReasoningReport',
    {
      requestId: 16,
      view: 'agents',
      agents: [
        {
          agentId: 'agent-1',
          taskType: 'PatternMatch',
          resolved: 280,
          recentUtility: 0.75,
          longUtility: 0.5,
          latencyP50Ms: 1.5,
          latencyP95Ms: 3,
          latencyP99Ms: 9.5,
          brier: 0.25,
          calibrationError: 0.125,
          coverage: 0.875,
          skill: -0.5,
        },
      ],
    },
  ],
  [
    'what was learnt, in words',
    'ReasoningReport',
    {
      requestId: 17,
      view: 'items',
      items: [
        {
          taskType: 'PatternMatch',
          kind: 'avoid',
          title: 'A band of 6 is too narrow',
          description: 'Wider bands forecast better.',
          content: '240 pairs, mean difference 0.0625.',
        },
      ],
    },
  ],
  [
    'why it got its arm',
    'ReasoningReport',
    {
      requestId: 13,
      view: 'explain',
      explanation: {
        taskType: 'PatternMatch',
        armId: 'band=12',
        sentences: ['It has the highest expected utility.'],
        nearest: [
          { experienceId: 'e-1', armId: 'band=12', utility: 0.625, distance: 0.5, weight: 0.75 },
        ],
      },
    },
  ],
  ['where everything is', 'ReasoningReport', { requestId: 18, view: 'export', datasetId }],
  ['take this in', 'ControlReasoning', { requestId: 19, action: 'import', datasetId }],
  ['forget this', 'ControlReasoning', { requestId: 20, action: 'reset', taskType: 'PatternMatch' }],

  [
    'a task with every option',
    'SubmitTask',
    {
      requestId: 1,
      taskId,
      taskType: 'PatternMatch',
      agentType: 'pattern',
      labels: { zone: 'a' },
      datasets: [datasetId],
      priority: 1,
      idempotencyKey: 'order-66',
      idempotent: false,
      durable: true,
      after: [taskId],
      delayMs: 10,
      fairnessKey: 'team-a',
      hedge: true,
      scheduleToStartMs: 1000,
      startToCloseMs: 2000,
      scheduleToCloseMs: 5000,
      retry: {
        initialIntervalMs: 100,
        backoffCoefficient: 2,
        maximumIntervalMs: 30_000,
        maximumAttempts: 3,
        maximumDeliveries: 3,
        nonRetryableErrorTypes: ['BAD_INPUT'],
      },
      onClientLoss: 'cancel',
      watch: 'all',
      shards: 'auto',
      positions: 1_000_000,
      payload: { $bytes: 'a0' },
    },
  ],
  [
    'a task in four parts',
    'SubmitTask',
    {
      requestId: 3,
      taskId,
      taskType: 'PatternMatch',
      datasets: [datasetId],
      watch: 'result',
      shards: 4,
      learn: { context: { $float64: [0.5, -1.25] }, seriesId: 'DAX', step: 1000, shadow: false },
      positions: 10,
      payload: { $bytes: 'a0' },
    },
  ],
  [
    'a task with a large input',
    'SubmitTask',
    {
      requestId: 2,
      taskId,
      taskType: 'my.task',
      datasets: [],
      watch: 'result',
      payloadBytes: 65_537,
      payloadEncoding: { name: 'deflate-raw', decodedBytes: 131_072 },
    },
  ],
  ['it is accepted', 'SubmitAck', { requestId: 1, taskId, state: 'queued', existing: false }],
  ['tell me about it', 'WatchTask', { requestId: 3, taskId, watch: 'result' }],
  [
    'why it waits',
    'TaskEvent',
    { taskId, kind: 'state', state: 'queued', attempt: 0, pendingReason: 'NO_FREE_SLOT' },
  ],
  [
    'how far it is',
    'TaskEvent',
    {
      taskId,
      kind: 'progress',
      state: 'running',
      attempt: 1,
      agentId: 'agent-1',
      fraction: 0.25,
      text: 'a quarter',
    },
  ],
  [
    'a part of the result',
    'TaskEvent',
    {
      taskId,
      kind: 'chunk',
      state: 'running',
      attempt: 1,
      sequence: 0,
      payload: { $bytes: ENCODED },
      payloadEncoding: { name: 'deflate-raw', decodedBytes: 1283 },
    },
  ],
  [
    'its end',
    'TaskEvent',
    {
      taskId,
      kind: 'end',
      state: 'succeeded',
      attempt: 1,
      agentId: 'agent-1',
      resultType: 'PatternMatchResult',
      chunkCount: 1,
      deadLettered: false,
      durable: true,
      queueMs: 0.5,
      computeMs: 11,
      totalMs: 12.75,
      payloadBytes: 100_000,
    },
  ],
  [
    'its bad end',
    'TaskEvent',
    {
      taskId,
      kind: 'end',
      state: 'failed',
      attempt: 3,
      failure,
      chunkCount: 0,
      deadLettered: true,
    },
  ],
  [
    'which tasks there are',
    'QueryStatus',
    { requestId: 6, view: 'tasks', states: ['queued', 'running'], limit: 100 },
  ],
  ['how one task is', 'QueryStatus', { requestId: 7, view: 'task', taskId }],
  [
    'everything at a glance',
    'StatusReport',
    {
      requestId: 6,
      view: 'summary',
      summary: {
        software: 'quic-swarm 0.1.0',
        protocol: 1,
        epoch: 1,
        uptimeMs: 60_000.5,
        address: '127.0.0.1:5000',
        memoryBytes: 123_456_789,
        eventLoopLagMs: 0.25,
        connections: { agents: 2, clients: 1, handshaking: 0, acceptedInAll: 3 },
        messages: { received: 100, sent: 90, byType: { HeartbeatMessage: 50 } },
        bytes: { received: 10_000, sent: 5_000_000_000 },
        errorsByType: { BAD_MESSAGE: 1 },
        tasks: {
          submitted: 12,
          byState: { queued: 1, succeeded: 10, failed: 1 },
          byPendingReason: { NO_FREE_SLOT: 1 },
          queuedBytes: 8,
          oldestQueuedMs: 3.5,
          staleCompletions: 0,
          deadLetters: 2,
        },
        byTaskType: { PatternMatch: work },
        datasets: { count: 1, bytes: 48_000 },
        journal: { recordsSinceSnapshot: 100, unclaimed: 3, failure },
        experiences: { recorded: 10, resolved: 9 },
      },
    },
  ],
  [
    'the agents',
    'StatusReport',
    {
      requestId: 7,
      view: 'agents',
      agents: [
        {
          agentId: 'agent-1',
          agentType: 'pattern',
          state: 'ready',
          address: '127.0.0.1:49152',
          capabilities: ['PatternMatch'],
          labels: { zone: 'a' },
          slots: 4,
          credit: 5,
          leases: 1,
          running: 1,
          connectedForMs: 59_000,
          lastHeardMs: 120,
          roundTripMs: 0.375,
          eventLoopLagMs: 0,
          memoryBytes: 98_765_432,
          datasets: 1,
          serviceTimeMs: 11.5,
          work,
        },
      ],
      rowsInAll: 1,
    },
  ],
  [
    'the tasks',
    'StatusReport',
    {
      requestId: 8,
      view: 'tasks',
      tasks: [
        {
          taskId,
          taskType: 'PatternMatch',
          state: 'queued',
          pendingReason: 'NO_AGENT_OF_TYPE',
          candidates: { connected: 1, ofType: 0, capable: 0, free: 0 },
          position: 1,
          priority: 3,
          attempt: 1,
          deliveries: 1,
          agentId: 'agent-1',
          cancelRequested: false,
          ageMs: 17.5,
          fraction: 0.5,
          failure,
          deadLettered: false,
          durable: true,
          waitsFor: 1,
          replayOf: otherTaskId,
          submittedBy: 'swarm',
          shards: { count: 4, running: 2, succeeded: 1, attempts: 4 },
          shard,
        },
      ],
      rowsInAll: 1,
    },
  ],
  ['is it there?', 'QueryDataset', { requestId: 10, datasetId }],
  [
    'four bytes by the name of their hash',
    'PutDataset',
    {
      requestId: 11,
      datasetId,
      mediaType: 'text/plain',
      name: 'test',
      payload: { $bytes: '74657374' },
    },
  ],
  [
    'a table is announced',
    'PutDataset',
    {
      requestId: 12,
      datasetId,
      mediaType: TABLE_MEDIA_TYPE,
      payloadBytes: 16_000_000,
      payloadEncoding: { name: 'deflate-raw', decodedBytes: 48_000_000 },
    },
  ],
  ['it is there', 'DatasetAck', { requestId: 11, datasetId, present: true }],
  ['give it to me', 'GetDataset', { requestId: 13, datasetId }],
  ['give me its result', 'GetDataset', { requestId: 14, datasetId: `task:${taskId}` }],
  ['the dead letters', 'QueryStatus', { requestId: 15, view: 'deadLetters', limit: 10 }],
  [
    'try it again',
    'ControlDeadLetter',
    { requestId: 16, taskId, action: 'replay', replayId: otherTaskId, watch: 'result' },
  ],
  ['forget it', 'ControlDeadLetter', { requestId: 17, taskId, action: 'drop' }],
  [
    'here it is',
    'Dataset',
    { requestId: 13, datasetId, mediaType: 'text/plain', payload: { $bytes: '74657374' } },
  ],
  [
    'a large one is announced',
    'Dataset',
    {
      requestId: 13,
      datasetId,
      mediaType: TABLE_MEDIA_TYPE,
      payloadBytes: 16_000_000,
      payloadEncoding: { name: 'deflate-raw', decodedBytes: 48_000_000 },
    },
  ],
  [
    'a sign of life',
    'HeartbeatMessage',
    {
      sequence: 42,
      leases: [lease],
      lastDispatchSequence: 7,
      running: 1,
      waiting: 0,
      eventLoopLagMs: 1.5,
      memoryBytes: 4_294_967_296,
      cpuLoad: 0.75,
    },
  ],
  ['it was heard', 'HeartbeatAck', { sequence: 42 }],
];

const match = {
  start: 300,
  length: 64,
  distance: 1.25,
  normalizedDistance: 0.15625,
  similarity: 0.75,
  windowMean: 101.5,
  windowStandardDeviation: 2.5,
};

const documents: readonly (readonly [string, string, 'input' | 'result', ReadableBody])[] = [
  [
    'find windows like one of its own',
    'PatternMatch',
    'input',
    {
      series: { datasetId, column: 'DAX', start: 0, end: 1000 },
      query: { values: { $float64: [1, 2.5, 'NaN'] } },
      excludeRows: { start: 936, end: 1000 },
      algorithm: 'lcss',
      band: 6,
      epsilon: 0.25,
      delta: 3,
      normalise: 'z',
      topK: 5,
      exclusionZone: 16,
      startRows: { start: 0, end: 500 },
    },
  ],
  [
    'the windows',
    'PatternMatch',
    'result',
    {
      algorithm: 'lcss',
      kernelVersion: '1',
      route: 'typescript',
      parameters: {
        length: 64,
        band: 6,
        normalise: 'z',
        epsilon: 0.25,
        delta: 3,
        topK: 5,
        exclusionZone: 16,
      },
      matches: [match],
      candidates: {
        starts: { $uint32: [3, 70_000] },
        distances: { $float64: [0.25, 0.5] },
        windowMeans: { $float64: [5000, 5100.5] },
        windowStandardDeviations: { $float64: [20, 0] },
        pathSteps: { $bytes: '000102000201' },
      },
      stats: { windows: 937, elapsedMs: 0.5 },
      seriesDigest: { length: 1000, sha256: datasetId.slice(7) },
    },
  ],
  [
    'find every window within a distance',
    'PatternMatch',
    'input',
    {
      series: { datasetId, column: 'DAX' },
      query: { datasetId, column: 'DAX', start: 10, end: 74 },
      algorithm: 'dtw',
      maximumDistance: 2.5,
      exclusionZone: 0,
      withPath: true,
    },
  ],
  [
    'all windows within a distance',
    'PatternMatch',
    'result',
    {
      algorithm: 'dtw',
      kernelVersion: '0.1.0',
      route: 'mixed',
      parameters: { length: 64, band: 3, normalise: 'z', exclusionZone: 0, maximumDistance: 2.5 },
      matches: [{ ...match, path: { $uint32: [0, 0, 0, 1, 1, 2, 2, 2] } }],
      truncated: false,
      stats: { positions: 937, wasmPositions: 400, elapsedMs: 0.5 },
      seriesDigest: { length: 1000, sha256: datasetId.slice(7) },
    },
  ],
  [
    'correlate two columns',
    'StrategyCorrelation',
    'input',
    {
      columns: [
        { name: 'a', series: { values: { $float64: [1, 2, 3] } } },
        { name: 'b', series: { datasetId, column: 'b' } },
      ],
      method: 'spearman',
      shrinkage: 0.25,
      autoShrinkage: false,
    },
  ],
  [
    'the matrix',
    'StrategyCorrelation',
    'result',
    {
      method: 'pearson',
      columns: ['a', 'b'],
      rows: 3,
      matrix: { $float64: [1, 'NaN', 'NaN', 1] },
      overlap: { $uint32: [3, 1, 1, 3] },
      shrinkage: 0.25,
      route: 'wasm-simd',
      elapsedMs: 0.125,
    },
  ],
  [
    'compute indicators',
    'FeatureEngineering',
    'input',
    {
      series: { values: { $float64: [1, 2, 3] } },
      indicators: ['sma2', 'return'],
    },
  ],
  [
    'compute indicators of bars',
    'FeatureEngineering',
    'input',
    {
      series: { datasetId, column: 'close' },
      high: { datasetId, column: 'high' },
      low: { datasetId, column: 'low', start: 0, end: 3 },
      volume: { values: { $float64: [10, 0, 2.5] } },
      indicators: ['atr14', 'vwap'],
    },
  ],
  [
    'the indicators',
    'FeatureEngineering',
    'result',
    {
      rows: 3,
      columns: [{ name: 'sma2', values: { $float64: ['NaN', 1.5, 2.5] } }],
      route: 'typescript',
      elapsedMs: 0.0625,
    },
  ],
  [
    'take a gradient',
    'NeuralTraining',
    'input',
    {
      series: { datasetId, column: 'DAX' },
      lags: 8,
      hidden: [16, 8],
      parameters: { $float64: [0.5, -0.5] },
      seed: 7,
      shard: { index: 0, count: 2 },
      sessionId: 'session-1',
      round: 3,
    },
  ],
  [
    'a full gradient',
    'NeuralTraining',
    'result',
    {
      sessionId: 'session-1',
      round: 3,
      layers: [8, 16, 1],
      samples: 500,
      localSteps: 1,
      lossBefore: 0.5,
      codec: 'float64',
      length: 2,
      values: { $float64: [0.25, -0.75] },
      baseHash: datasetId.slice(7),
      computeMs: 2.5,
    },
  ],
  [
    'a gradient in bytes with its scales',
    'NeuralTraining',
    'result',
    {
      sessionId: 'session-1',
      round: 4,
      layers: [8, 16, 1],
      samples: 500,
      localSteps: 4,
      lossBefore: 0.5,
      lossAfter: 0.25,
      codec: 'int8',
      length: 300,
      values: { $int8: [-128, 0, 127] },
      scales: { $float32: [0.5] },
      indices: { $uint32: [0, 70_000, 4_294_967_295] },
      baseHash: datasetId.slice(7),
      computeMs: 2.5,
    },
  ],
  [
    'is one arm better?',
    'ReasoningJudge',
    'input',
    {
      taskType: 'PatternMatch',
      candidateArmId: 'band=12',
      incumbentArmId: 'band=6',
      experiences: [experience],
      alpha: 0.05,
    },
  ],
  [
    'how much will it move',
    'VolatilityForecast',
    'input',
    {
      prices: { datasetId, column: 'DAX' },
      at: 1000,
      horizon: 5,
      history: 750,
      window: 20,
      normalise: 'none',
      topK: 30,
      withAllArms: true,
    },
  ],
  [
    'the same by default',
    'VolatilityForecast',
    'input',
    { prices: { datasetId, column: 'DAX' }, at: 1000 },
  ],
  [
    'it will move like this',
    'VolatilityForecast',
    'result',
    {
      logVolatility: -4.625,
      parameters: { horizon: 5, history: 750, window: 20, normalise: 'none', topK: 30 },
      route: 'wasm-simd',
      analogues: [{ end: 412, distance: 3.5, followed: -4.625 }],
      byArm: [{ arm: { window: 20, normalise: 'none', topK: 5 }, logVolatility: -4.5 }],
    },
  ],
  [
    'a pattern by whatever is good',
    'PatternMatch',
    'input',
    {
      series: { datasetId, column: 'DAX' },
      query: { datasetId, column: 'DAX', start: 10, end: 74 },
    },
  ],
  ['it is', 'ReasoningJudge', 'result', verdict],
];

/** Frames that must be refused: the error, and the bytes behind what makes them wrong. */
const refused: readonly (readonly [name: string, error: string, hex: string])[] = [
  ['a frame of a message that does not exist', 'BAD_FRAME', '000000027fa0'],
  ['a frame without a body', 'BAD_FRAME', '0000000141'],
  ['a frame that claims 4 GiB', 'FRAME_TOO_LARGE', 'ffffffff41'],
  ['a frame one byte over the bound of control messages', 'FRAME_TOO_LARGE', '0010000141'],
  ['a frame one byte over the bound of PayloadChunk', 'FRAME_TOO_LARGE', '010000011c'],
  ['a body that is no map', 'BAD_MESSAGE', '000000024180'],
  ['a body without its field', 'BAD_MESSAGE', '0000000241a0'],
  ['an unknown field', 'BAD_MESSAGE', '0000000f41a26873657175656e636507617801'],
  ['a field twice', 'BAD_MESSAGE', '0000001641a26873657175656e6365076873657175656e636508'],
  ['a key that is no text', 'BAD_MESSAGE', '0000000e41a26873657175656e6365070102'],
  ['a negative count', 'BAD_MESSAGE', '0000000c41a16873657175656e636520'],
  ['a fraction where a count is due', 'BAD_MESSAGE', '0000000e41a16873657175656e6365f93800'],
  ['NaN where a number is due', 'BAD_MESSAGE', '0000000e41a16873657175656e6365f97e00'],
  ['a count beyond 2^53', 'BAD_MESSAGE', '0000001441a16873657175656e63651b0020000000000000'],
  ['a bignum', 'BAD_MESSAGE', '0000000e41a16873657175656e6365c24107'],
  ['a map of indefinite length', 'BAD_MESSAGE', '0000000d41bf6873657175656e636507ff'],
  ['a byte behind the body', 'BAD_MESSAGE', '0000000d41a16873657175656e63650700'],
  ['a body that ends early', 'BAD_MESSAGE', '0000000a41a16873657175656e63'],
  [
    'a byte string that claims 4 GiB',
    'BAD_MESSAGE',
    '000000171ca2666f6666736574006562797465735affffffff00',
  ],
  ['text where a byte string is due', 'BAD_MESSAGE', '000000121ca2666f66667365740065627974657360'],
  [
    'a chunk that follows no message',
    'UNEXPECTED_MESSAGE',
    '000000131ca2666f6666736574006562797465734107',
  ],
];

/** Corrects the lengths above, so that each frame is wrong in one way only. */
function withLength(hex: string, error: string): string {
  if (error !== 'BAD_MESSAGE' && error !== 'UNEXPECTED_MESSAGE') return hex;
  const rest = hex.slice(8);
  return (rest.length / 2).toString(16).padStart(8, '0') + rest;
}

function frameOf(type: string, body: ReadableBody): string {
  return bytesToHex(encodeFrame({ type, body: fromReadable(body) } as Message));
}

export function makeVectors(): Vectors {
  const announced = {
    ...lease,
    dispatchSequence: 9,
    taskType: 'my.task',
    datasets: [],
    startToCloseMs: 60_000,
  };
  const frames = [
    frameOf('StreamOpen', { purpose: 'task', taskId }),
    frameOf('AgentTask', { ...announced, payloadBytes: 6 }),
    frameOf('PayloadChunk', { offset: 0, bytes: { $bytes: '83010203'.slice(0, 8) } }),
    frameOf('PayloadChunk', { offset: 4, bytes: { $bytes: '0405' } }),
  ];
  const columns = { DAX: { $float64: [1, 2.5] }, SMI: { $float64: [-1, 'NaN'] } };
  return {
    about:
      'Hexadecimal test vectors of the quic-swarm protocol, see docs/protocol.md. $bytes, $float64, … stand for byte strings and typed arrays; NaN, Infinity and -Infinity in them are texts. Made by make-vectors.ts.',
    messages: bodies.map(([name, type, body]) => ({ name, type, body, hex: frameOf(type, body) })),
    streams: [
      {
        name: 'a payload in two chunks',
        hex: frames.join(''),
        messages: [
          { type: 'StreamOpen', body: { purpose: 'task', taskId } },
          { type: 'AgentTask', body: { ...announced, payload: { $bytes: '830102030405' } } },
        ],
      },
    ],
    documents: documents.map(([name, taskType, role, value]) => ({
      name,
      taskType,
      role,
      value,
      hex: bytesToHex(encodeCbor(fromReadable(value))),
    })),
    encoded: [
      {
        name: 'a text in raw DEFLATE',
        encoding: 'deflate-raw',
        hex: ENCODED,
        decodedHex: bytesToHex(encodeCbor('1628.75,'.repeat(160))),
      },
    ],
    tables: [
      {
        name: 'two columns of two rows',
        columns,
        hex: bytesToHex(
          encodeTable(
            new Map(
              Object.entries(columns).map(([name, values]) => [
                name,
                Float64Array.from(values.$float64, Number),
              ]),
            ),
          ),
        ),
      },
    ],
    refused: [
      ...refused.map(([name, error, hex]) => ({ name, hex: withLength(hex, error), error })),
      {
        name: 'a payload one byte over the bound',
        hex: frameOf('ResultChunk', { ...lease, sequence: 0, payloadBytes: 268_435_457 }),
        error: 'PAYLOAD_TOO_LARGE',
      },
    ],
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = new URL('vectors.json', import.meta.url);
  writeFileSync(path, `${JSON.stringify(makeVectors(), undefined, 2)}\n`);
}
