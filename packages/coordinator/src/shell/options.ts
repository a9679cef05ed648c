/** The options of the public interface, and what an observer hears. */
import type { CompressionMode, Failure, SwarmError } from '@quic-swarm/protocol';
import type { Address, CoordinatorSecurity, Transport } from '@quic-swarm/transport';
import type { CoordinatorEffect } from '../core/effects.ts';
import type { CoreOptions } from '../core/options.ts';
import type { ShardMerger } from './shard-mergers.ts';

/** What an observer is told: the effects that are said for observers, and what happens to connections. */
export type CoordinatorNotice =
  | Extract<
      CoordinatorEffect,
      {
        type:
          | 'AgentChanged'
          | 'TaskAccepted'
          | 'TaskEnded'
          | 'AttemptEnded'
          | 'Refused'
          | 'StaleCompletionDropped'
          | 'ArmSuggested';
      }
    >
  | {
      readonly type: 'ClientChanged';
      readonly address: string;
      readonly clientName: string;
      readonly change: 'joined' | 'left';
    }
  | { readonly type: 'ProtocolError'; readonly address: string; readonly error: SwarmError }
  /** What earlier lives had left in the data folder was taken in. */
  | {
      readonly type: 'Restored';
      readonly epoch: number;
      readonly pendingTasks: number;
      readonly finishedTasks: number;
      /** Data sets whose bytes are not what their name says; their files are left alone. */
      readonly damagedDatasets: readonly string[];
      /** What was wrong with the end of the journal, and was cut off. */
      readonly damagedJournal: readonly string[];
      readonly tookMs: number;
    }
  /** No more is recorded. */
  | { readonly type: 'RecordingFailed'; readonly error: SwarmError }
  /** The journal cannot be written any more, or (without a failure) it can be written again. */
  | { readonly type: 'JournalChanged'; readonly failure: Failure | undefined };

/** Options of {@link QuicSwarmCoordinator.start}. */
export interface CoordinatorOptions {
  /** `HOST:PORT`; port 0 picks a free one. */
  readonly address: string | Address;
  /** What carries the bytes. @default QUIC with the given security */
  readonly transport?: Transport;
  /** @default the development certificate of this user */
  readonly security?: CoordinatorSecurity;
  /** A folder for durable tasks and data sets: with it the coordinator offers `durable`, and goes on with what it has left
   *  there. It belongs to one coordinator at a time. @default none: nothing survives the process */
  readonly data?: string;
  /** Whether tasks are durable whose submission does not say. Needs `data`. @default false */
  readonly durableByDefault?: boolean;
  /** A file in which everything is recorded that reaches the decisions, inputs and results included: `swarm replay` tells
   *  from it what happened and why. It grows without end. @default none */
  readonly record?: string;
  /** Whether payloads over 1 KiB travel compressed: when that makes them arrive sooner, whenever it makes them shorter,
   *  or never, in neither direction. Payloads that come compressed are passed on so where the next one can decode
   *  them. @default 'auto' */
  readonly compression?: CompressionMode;
  /** How long a connection may take to introduce itself. @default 5000 */
  readonly handshakeTimeoutMs?: number;
  /** Bytes that may wait for a peer that does not read before it is closed. @default 64 MiB */
  readonly outgoingBytesMax?: number;
  /** For task types of a user's own: how the results of shards become one, see {@link ShardMerger}. PatternMatch has one. */
  readonly mergers?: Readonly<Record<string, ShardMerger>>;
  /** Figures by which it decides, see CoreOptions. */
  readonly decisions?: Partial<CoreOptions>;
  /** Told of everything that an operator may want to see; must not throw. */
  readonly onNotice?: (notice: CoordinatorNotice) => void;
}

/** How a coordinator stops. */
export interface CoordinatorDrainOptions {
  /** How long accepted tasks may take to end. @default 10,000 */
  readonly graceMs?: number;
}
