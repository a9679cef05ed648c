/** The coordinator in a simulation: its real core, and a shell that knows peers by what they said first. */
import {
  CoordinatorCore,
  deadLetterRows,
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoreOptions,
} from '@quic-swarm/coordinator';
import { failure, taskIdOfResult, type Message, type MessageOf } from '@quic-swarm/protocol';
import { Life } from './life.ts';
import type { DiskUser, SimulatedDisk } from './simulated-disk.ts';
import type { Door } from './network.ts';
import type { RandomStream } from './random-stream.ts';
import type { ConnectionListener, SimulatedConnection } from './simulated-connection.ts';
import type { Alarm } from './virtual-clock.ts';
import type { WorldParts } from './world-parts.ts';

type Shared = 'control' | 'dispatch' | 'client';

/** Closing in good order waits so long for what was said before. */
const CLOSE_FLUSH_MS = 1000;

/** A merge of results takes up to so long. */
const MERGE_MS_MAX = 20;

/** Records of the journal that are read at once at a start. */
const REPLAY_STEP = 7;

/** Wall-clock time of the beginning of every simulation. */
const WALL_MS = 1_800_000_000_000;

/** What outlives a coordinator. */
export interface Belongings {
  readonly disk: SimulatedDisk | undefined;
  /** Data sets on disk; undefined where they are kept in memory. */
  readonly datasets: Set<string> | undefined;
}

interface Peer {
  readonly name: string;
  connection: SimulatedConnection | undefined;
  hasJoined: boolean;
  /** Streams that the peer has opened; what is for others waits. */
  readonly open: Set<Shared>;
  readonly unsent: { readonly on: Shared; readonly message: Message }[];
}

/** How a coordinator of a run behaves, in all its lives. */
export interface CoordinatorHabits {
  readonly decisions: Partial<CoreOptions>;
  /** Several events that come at the same time are answered together. */
  readonly settlesTogether: boolean;
}

/** See the head of this file. One object is one life. */
export class CoordinatorProcess implements Door {
  readonly life: Life;
  readonly core: CoordinatorCore;
  readonly #parts: WorldParts;
  readonly #habits: CoordinatorHabits;
  readonly #random: RandomStream;
  readonly #peers = new Map<string, Peer>();
  readonly #datasets: Set<string>;
  readonly #disk: SimulatedDisk | undefined;
  /** Its own clock begins with itself, as that of a real process does. */
  readonly #bornAtMs: number;
  #alarm: Alarm | undefined;
  #alarmAtMs = Infinity;
  #willSettle = false;
  /** It was asked to stop, and waits for tasks. */
  #draining: { hasGrace: boolean; readonly onEnded: () => void } | undefined;
  #tokens = 0;

  constructor(
    parts: WorldParts,
    habits: CoordinatorHabits,
    epoch: number,
    { disk, datasets }: Belongings,
  ) {
    this.#parts = parts;
    this.#habits = habits;
    this.#disk = disk;
    this.#datasets = datasets ?? new Set();
    this.#bornAtMs = parts.clock.nowMs;
    this.life = new Life(parts.clock);
    this.#random = parts.random.fork(`coordinator ${epoch}`);
    this.core = new CoordinatorCore({
      ...habits.decisions,
      epoch,
      seed: this.#random.below(2 ** 31),
      wallOffsetMs: WALL_MS + this.#bornAtMs,
    });
    parts.note(`coordinator starts, epoch ${epoch}`);
    parts.observe((observer) => observer.coordinatorStarted?.(this.core));
    if (disk !== undefined) this.#restore(disk);
  }

  /** Goes on with what the journal of the earlier lives says. */
  #restore(disk: SimulatedDisk): void {
    const records = disk.open(this.#diskUser());
    for (const datasetId of this.#datasets) {
      this.core.take({ type: 'DatasetStored', datasetId, bytes: 1 }, this.#nowMs());
    }
    for (let start = 0; start < records.length; start += REPLAY_STEP) {
      const piece = records.slice(start, start + REPLAY_STEP);
      this.core.take({ type: 'JournalReplayed', records: piece }, this.#nowMs());
    }
    this.core.take({ type: 'JournalRestored' }, this.#nowMs());
    this.#parts.observe((observer) => observer.coordinatorRestored?.(this.core));
    this.#settle();
  }

  #diskUser(): DiskUser {
    return {
      committed: (position) => {
        this.life.receive(() => this.feed({ type: 'JournalCommitted', position }));
      },
      failed: () => {
        this.#parts.note('coordinator: the disk has failed');
        const reason = failure('INTERNAL', 'The disk is full.');
        this.life.receive(() => this.feed({ type: 'JournalFailed', failure: reason }));
      },
      reopened: () => {
        this.#parts.note('coordinator: the disk works again');
        this.life.receive(() => this.feed({ type: 'JournalReopened' }));
      },
    };
  }

  #nowMs(): number {
    return this.#parts.clock.nowMs - this.#bornAtMs;
  }

  /** kill -9. */
  kill(): void {
    if (!this.life.isAlive) return;
    this.#parts.note('coordinator is killed');
    this.life.kill();
    this.#disk?.crash();
    for (const { connection } of this.#peers.values()) connection?.abandon('listener');
    this.#parts.observe((observer) => observer.coordinatorKilled?.(this.core));
  }

  /** SIGTERM: takes nothing new, waits within the grace for what would be lost with it, and ends in good order. */
  drain(graceMs: number, onEnded: () => void): void {
    this.#parts.note('coordinator is asked to stop');
    this.life.receive(() => {
      if (this.#draining !== undefined) return;
      this.#draining = { hasGrace: true, onEnded };
      this.life.after(graceMs, () => {
        if (this.#draining !== undefined) this.#draining.hasGrace = false;
        this.#endDrained();
      });
      this.feed({ type: 'DrainRequested' });
      this.#endDrained();
    });
  }

  /** Ends when there is nothing to wait for any more: first for tasks, then for the disk. */
  #endDrained(): void {
    const { core } = this;
    if (this.#draining === undefined || (this.#draining.hasGrace && !core.isIdle)) return;
    const { onEnded } = this.#draining;
    this.#draining = undefined;
    const end = (): void => {
      if (!this.life.isAlive) return;
      this.#parts.note('coordinator stops');
      this.life.kill();
      this.#sayGoodbye();
      this.#disk?.close();
      this.#parts.observe((observer) => observer.coordinatorKilled?.(this.core));
      onEnded();
    };
    if (this.#disk === undefined) end();
    else this.#disk.onFlushed(() => this.life.receive(end));
  }

  #sayGoodbye(): void {
    const reason = 'The coordinator is shutting down.';
    for (const { connection } of this.#peers.values()) {
      connection?.send('listener', 'control', { type: 'Goodbye', body: { reason } });
      connection?.close('listener', failure('CONNECTION_LOST', reason), CLOSE_FLUSH_MS);
    }
  }

  /** SIGSTOP. */
  freeze(): void {
    this.#parts.note('coordinator is frozen');
    this.life.freeze();
  }

  /** SIGCONT. */
  thaw(): void {
    if (!this.life.isFrozen) return;
    this.#parts.note('coordinator goes on');
    this.life.thaw();
  }

  accept(connectionId: string, name: string): ConnectionListener {
    const peer: Peer = {
      name,
      connection: undefined,
      hasJoined: false,
      open: new Set(['control']),
      unsent: [],
    };
    this.#peers.set(connectionId, peer);
    return {
      onMessage: (message, stream) => this.#hear(connectionId, peer, message, stream),
      onEnded: (reason) => {
        this.#peers.delete(connectionId);
        this.feed({ type: 'ConnectionEnded', connectionId, reason: reason.message });
      },
    };
  }

  accepted(connectionId: string, connection: SimulatedConnection): void {
    const peer = this.#peers.get(connectionId);
    if (peer !== undefined) peer.connection = connection;
  }

  /** Closes the connections of a process because they are too old: it comes back at once. */
  expire(name: string): void {
    for (const [connectionId, peer] of this.#peers) {
      if (peer.name !== name || peer.connection?.isOpen('listener') !== true) continue;
      const message = 'The connection has reached its greatest age.';
      this.#parts.note(`coordinator closes the connection of ${name} because of its age`);
      peer.connection.close('listener', failure('CONNECTION_EXPIRED', message), 0);
      this.#peers.delete(connectionId);
      const reason = message;
      this.feed({ type: 'ConnectionEnded', connectionId, reason, hasExpired: true });
    }
  }

  /** Tells the core what happened; what follows is done at once, or with all that comes at the same time. */
  feed(event: CoordinatorEvent): void {
    if (!this.life.isAlive) return;
    this.#parts.observe((observer) => observer.coordinatorTakes?.(event, this.core));
    this.core.take(event, this.#nowMs());
    if (!this.#habits.settlesTogether) {
      this.#settle();
    } else if (!this.#willSettle) {
      this.#willSettle = true;
      this.life.after(0, () => {
        this.#willSettle = false;
        this.#settle();
      });
    }
  }

  #settle(): void {
    const { observe } = this.#parts;
    for (const effect of this.core.settle()) {
      observe((observer) => observer.coordinatorWants?.(effect, this.core));
      this.#act(effect);
    }
    observe((observer) => observer.coordinatorSettled?.(this.core));
    this.#arm();
    this.#endDrained();
  }

  #hear(connectionId: string, peer: Peer, message: Message, stream: string): void {
    if (!peer.hasJoined) {
      this.#join(connectionId, peer, message);
      return;
    }
    switch (message.type) {
      case 'StreamOpen':
        this.#openStream(connectionId, peer, stream);
        return;
      case 'PutDataset':
        this.#datasets.add(message.body.datasetId);
        this.feed({ type: 'DatasetStored', datasetId: message.body.datasetId, bytes: 1 });
        this.#acknowledgeDataset(peer, message);
        return;
      case 'GetDataset':
        this.#serveDataset(connectionId, peer, message);
        return;
      case 'QueryStatus':
        this.#tell(peer, message);
        return;
      case 'ErrorReport':
        return;
      default:
        this.feed({ type: 'MessageReceived', connectionId, message });
    }
  }

  #join(connectionId: string, peer: Peer, message: Message): void {
    this.#tokens += 1;
    const common = {
      connectionId,
      address: peer.name,
      protocol: 1,
      sessionToken: `token ${this.#tokens} of epoch ${this.core.state.options.epoch}`,
    };
    if (message.type === 'AgentHandshake') {
      peer.hasJoined = true;
      this.feed({ type: 'AgentJoined', ...common, handshake: message.body });
    } else if (message.type === 'ClientHandshake') {
      peer.hasJoined = true;
      this.feed({ type: 'ClientJoined', ...common, handshake: message.body });
    }
  }

  #openStream(connectionId: string, peer: Peer, stream: string): void {
    const on = stream as Shared;
    peer.open.add(on);
    for (const { message } of peer.unsent.filter((waiting) => waiting.on === on)) {
      this.#write(peer, on, message);
    }
    const left = peer.unsent.filter((waiting) => waiting.on !== on);
    peer.unsent.splice(0, peer.unsent.length, ...left);
    if (on === 'dispatch') this.feed({ type: 'DispatchStreamOpened', connectionId });
  }

  /** Of the status views a simulation needs one; that of a single task is asked for to break a silence, and not awaited. */
  #tell(peer: Peer, { body }: MessageOf<'QueryStatus'>): void {
    const { requestId, view, limit = 100 } = body;
    if (view !== 'deadLetters') return;
    // The answer is about everything that was said before the question.
    this.#settle();
    const { rows, rowsInAll } = deadLetterRows(this.core.state, limit, this.#nowMs());
    const report = { requestId, view, tasks: rows, rowsInAll } as const;
    peer.connection?.send('listener', 'control', { type: 'StatusReport', body: report });
  }

  #acknowledgeDataset(peer: Peer, { body }: MessageOf<'PutDataset'>): void {
    const { requestId, datasetId } = body;
    const answer: Message = { type: 'DatasetAck', body: { requestId, datasetId, present: true } };
    peer.connection?.send('listener', undefined, answer);
  }

  #serveDataset(connectionId: string, peer: Peer, { body }: MessageOf<'GetDataset'>): void {
    const { requestId, datasetId } = body;
    const resultOf = taskIdOfResult(datasetId);
    const hasResult =
      resultOf !== undefined && this.core.state.tasks.get(resultOf)?.state === 'succeeded';
    if (!hasResult && !this.#datasets.has(datasetId)) {
      const reason = failure('DATASET_NOT_FOUND', 'The coordinator does not have it.');
      const report: Message = { type: 'ErrorReport', body: { requestId, failure: reason } };
      peer.connection?.send('listener', undefined, report);
      return;
    }
    const answer = { requestId, datasetId, mediaType: 'simulated', payload: new Uint8Array(1) };
    peer.connection?.send('listener', undefined, { type: 'Dataset', body: answer });
    if (!hasResult) this.feed({ type: 'DatasetServed', connectionId, datasetId });
  }

  #act(effect: CoordinatorEffect): void {
    switch (effect.type) {
      case 'Send':
        this.#send(effect.connectionId, effect.on, effect.message);
        return;
      case 'Close': {
        const { errorType, message, connectionId } = effect;
        const reason = failure(errorType ?? 'CONNECTION_LOST', message);
        this.#peers.get(connectionId)?.connection?.close('listener', reason, CLOSE_FLUSH_MS);
        return;
      }
      case 'DropDataset':
        this.#datasets.delete(effect.datasetId);
        return;
      case 'MergeShards':
        this.#merge(effect);
        return;
      case 'AppendJournal':
        this.#disk?.append(effect.position, effect.record);
        return;
      case 'TakeSnapshot':
        this.#disk?.takeSnapshot(effect.position, this.core.snapshot());
        return;
      default:
    }
  }

  /** All shards have the input of their task, so that each has its result. */
  #merge({ taskId, results, resultType }: CoordinatorEffect & { type: 'MergeShards' }): void {
    this.life.after(this.#random.between(0, MERGE_MS_MAX), () => {
      const merged = { payload: results[0]?.payload, resultType };
      this.feed({ type: 'ShardsMerged', taskId, merged });
    });
  }

  #send(connectionId: string, on: Shared, message: Message): void {
    const peer = this.#peers.get(connectionId);
    if (peer === undefined) return;
    if (this.#parts.travelsAlone(message, this.#random, peer.name)) {
      peer.connection?.send('listener', undefined, message);
    } else if (peer.open.has(on)) {
      this.#write(peer, on, message);
    } else {
      peer.unsent.push({ on, message });
    }
  }

  #write(peer: Peer, on: Shared, message: Message): void {
    peer.connection?.send('listener', on, message);
  }

  #arm(): void {
    const atMs = this.core.nextTimeoutMs() ?? Infinity;
    if (atMs >= this.#alarmAtMs || atMs === Infinity) return;
    this.#alarm?.cancel();
    this.#alarmAtMs = atMs;
    this.#alarm = this.life.after(Math.max(1, Math.ceil(atMs - this.#nowMs())), () => {
      this.#alarmAtMs = Infinity;
      this.feed({ type: 'TimePassed' });
    });
  }
}
