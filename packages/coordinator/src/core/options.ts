/** The figures by which the coordinator decides. Every bound has a reason; every time is in milliseconds. */
import {
  DATASET_BYTES_MAX,
  DEFAULT_RETRY_POLICY,
  DEFAULT_START_TO_CLOSE_MS,
  PAYLOAD_BYTES_MAX,
  type Feature,
  type RetryPolicy,
} from '@quic-swarm/protocol';

/** Options of the decisions. {@link DEFAULT_CORE_OPTIONS} has a value for each. */
export interface CoreOptions {
  /** Rises with each start of the coordinator; part of every lease. */
  readonly epoch: number;
  /** Seeds the jitter of retries and the sampling of agents: equal seeds and events give equal effects. */
  readonly seed: number;
  readonly heartbeatIntervalMs: number;
  /** Silence after which an agent is suspect and gets no new work: two heartbeats missed. */
  readonly suspectAfterMs: number;
  /** Silence after which an agent is lost and its tasks run elsewhere. */
  readonly lostAfterMs: number;
  /**
   * The same three for agents without a lease, of which there may be a thousand. The interval is less than `lostAfterMs`,
   * since an agent hears of a lease only when it has arrived, and a quarter of QUIC's idle timeout. One missed heartbeat
   * makes suspect, so that an agent that was killed can soon come back under its id.
   */
  readonly idleHeartbeatIntervalMs: number;
  readonly idleSuspectAfterMs: number;
  readonly idleLostAfterMs: number;
  /** How long a lost agent may come back and keep leases that nobody else was given. */
  readonly reconnectGraceMs: number;
  readonly retry: RetryPolicy;
  /** Optional parts of the protocol that every acknowledgement names. */
  readonly features: readonly Feature[];
  readonly startToCloseMs: number;
  /** What the coordinator adds to startToCloseMs before it stops believing that the agent enforces it. */
  readonly startToCloseSlackMs: number;
  /** Time a handler may take to stop by itself after a cancellation or a timeout. */
  readonly cancelGraceMs: number;
  /** So much waiting counts as one step of priority, so that low priorities are served in the end. */
  readonly priorityAgeingMs: number;
  /** Bounds of what is accepted and not finished. */
  readonly pendingTasksMax: number;
  readonly pendingBytesMax: number;
  /** What a client should wait after QUEUE_FULL. */
  readonly queueFullRetryAfterMs: number;
  /** Finished tasks stay known, so that a client that lost its connection can ask: at most so many, so long, so large. */
  readonly finishedTasksMax: number;
  readonly finishedTtlMs: number;
  readonly finishedBytesMax: number;
  /** Durable tasks whose end nobody has heard of yet stay so long; new ones are refused while their results are larger. */
  readonly unclaimedTtlMs: number;
  readonly unclaimedBytesMax: number;
  /** Tasks that failed for good after all tries, kept with their inputs to be replayed; the oldest make room. */
  readonly deadLettersMax: number;
  readonly deadLetterBytesMax: number;
  /** Input and result of a durable task: each is written in one piece. */
  readonly durablePayloadBytesMax: number;
  /** Whether tasks are durable whose submission does not say. */
  readonly durableByDefault: boolean;
  /** Wall-clock time (since 1970) of `nowMs` 0: what is written down must be understood by the next life. */
  readonly wallOffsetMs: number;
  /** A snapshot is taken when so many records have come since the last one, and more than there are tasks. */
  readonly snapshotRecordsMin: number;
  readonly payloadBytesMax: number;
  /** Task types whose shards' results can be merged; others cannot be split. */
  readonly mergedTaskTypes: readonly string[];
  /** The results of all shards of one task: they are kept until the last one is there, and merged in one go. */
  readonly shardResultBytesMax: number;
  /** Parts that one task may send before its result. */
  readonly chunksMax: number;
  readonly datasetBytesMax: number;
  /** All data sets together; the least recently used one that no task needs makes room. */
  readonly datasetsBytesMax: number;
  /** Streams a joining side may have open at once. */
  readonly streamsMax: number;
}

/** The defaults; docs/task-states.md explains them. */
export const DEFAULT_CORE_OPTIONS: CoreOptions = {
  epoch: 1,
  seed: 1,
  heartbeatIntervalMs: 500,
  suspectAfterMs: 1_250,
  lostAfterMs: 3_000,
  idleHeartbeatIntervalMs: 2_500,
  idleSuspectAfterMs: 3_000,
  idleLostAfterMs: 9_000,
  reconnectGraceMs: 10_000,
  retry: DEFAULT_RETRY_POLICY,
  features: [],
  startToCloseMs: DEFAULT_START_TO_CLOSE_MS,
  startToCloseSlackMs: 5_000,
  cancelGraceMs: 1_000,
  priorityAgeingMs: 10_000,
  pendingTasksMax: 1_000_000,
  pendingBytesMax: 1024 * 1024 * 1024,
  queueFullRetryAfterMs: 250,
  finishedTasksMax: 10_000,
  finishedTtlMs: 600_000,
  finishedBytesMax: 256 * 1024 * 1024,
  unclaimedTtlMs: 24 * 3_600_000,
  unclaimedBytesMax: 256 * 1024 * 1024,
  deadLettersMax: 10_000,
  deadLetterBytesMax: 256 * 1024 * 1024,
  durablePayloadBytesMax: 32 * 1024 * 1024,
  durableByDefault: false,
  wallOffsetMs: 0,
  snapshotRecordsMin: 100_000,
  payloadBytesMax: PAYLOAD_BYTES_MAX,
  mergedTaskTypes: [],
  shardResultBytesMax: 16 * 1024 * 1024,
  chunksMax: 100_000,
  datasetBytesMax: DATASET_BYTES_MAX,
  datasetsBytesMax: 2 * DATASET_BYTES_MAX,
  streamsMax: 20_000,
};
