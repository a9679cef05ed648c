/** The coordinator as people use it: a listener, its peers, and the core that decides. */
import { randomBytes, randomInt } from 'node:crypto';
import { createRequire } from 'node:module';
import {
  ERRORS,
  NO_ERROR_WIRE_CODE,
  type SwarmError,
  decodedBytesOf,
  negotiateVersion,
  type AgentRow,
  type Message,
  type MessageOf,
  type StatusSummary,
  type CompressionMode,
} from '@quic-swarm/protocol';
import {
  compressionModeOf,
  decoded,
  formatAddress,
  listeningTransport,
  parseAddress,
  type Address,
  type Connection,
  type ConnectionClosed,
  type Listener,
} from '@quic-swarm/transport';
import { CoordinatorCore } from '../core/coordinator.ts';
import { offeredFeatures } from '../core/features.ts';
import { refuseIncoming } from '../core/admission.ts';
import type { CoordinatorEffect } from '../core/effects.ts';
import { noDataFolder, openDataFolder, type DataFolder } from './data-folder.ts';
import { DatasetDesk } from './dataset-desk.ts';
import { failedFor, mustBeDecoded } from './encoded-messages.ts';
import { Driver } from './driver.ts';
import { EnquiryDesk } from './enquiry-desk.ts';
import { EventRecorder } from './event-recorder.ts';
import { JournalWriter } from './journal-writer.ts';
import { ReasoningDesk } from './reasoning-desk.ts';
import { ReasoningKeeper } from './reasoning-keeper.ts';
import type { CoordinatorDrainOptions, CoordinatorOptions } from './options.ts';
import { Peer, type PeerListener } from './peer.ts';
import { ShardMergers } from './shard-mergers.ts';
import { Statistics } from './statistics.ts';
import { StatusReporter } from './status-report.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

/**
 * Accepts agents and clients and gives the clients' tasks to the agents.
 *
 * ```ts
 * await using coordinator = await QuicSwarmCoordinator.start({ address: '127.0.0.1:5000' });
 * ```
 */
export class QuicSwarmCoordinator implements AsyncDisposable {
  readonly #options: CoordinatorOptions;
  readonly #core: CoordinatorCore;
  readonly #driver: Driver;
  readonly #compression: CompressionMode;
  readonly #peers = new Map<string, Peer>();
  /** Those for which something was queued since the driver last settled. */
  #queuedPeers: Peer[] = [];
  readonly #datasets: DatasetDesk;
  readonly #mergers: ShardMergers;
  readonly #statistics = new Statistics();
  /** Of a coordinator that has a data folder. */
  readonly #journal: JournalWriter | undefined;
  readonly #enquiries: EnquiryDesk;
  readonly #keeper: ReasoningKeeper | undefined;
  #recorder: EventRecorder | undefined;
  readonly #reporter: StatusReporter;
  /** Payloads on their way in, of all peers. */
  #incomingBytes = 0;
  readonly #endedBytes = { received: 0, sent: 0 };
  #listener: Listener | undefined;
  readonly #idleWaiters: (() => void)[] = [];
  #closing: Promise<void> | undefined;

  private constructor(options: CoordinatorOptions, data: DataFolder | undefined) {
    this.#options = options;
    this.#compression = compressionModeOf(options.compression);
    this.#mergers = new ShardMergers(options.mergers);
    this.#core = new CoordinatorCore({
      // Distinct for each start, so that leases of an earlier life are never taken for leases of this one.
      epoch: data?.epoch ?? Date.now(),
      seed: randomInt(2 ** 31),
      features: offeredFeatures(this.#compression !== 'never', data !== undefined),
      durableByDefault: options.durableByDefault ?? false,
      // The core's clock is the driver's; what it writes down must be understood by another process.
      wallOffsetMs: performance.timeOrigin,
      mergedTaskTypes: this.#mergers.taskTypes,
      ...options.decisions,
    });
    this.#driver = new Driver(this.#core, {
      act: (effect) => {
        this.#act(effect);
      },
      took: (event, atMs) => {
        this.#recorder?.took(event, atMs);
      },
      settling: (effects) => {
        this.#recorder?.settled(effects);
      },
      settled: () => {
        this.#journal?.flush();
        this.#keeper?.note();
        this.#flushPeers();
      },
    });
    if (data !== undefined) this.#journal = this.#journalIn(data);
    this.#datasets = new DatasetDesk(
      this.#core.state,
      this.#driver,
      this.#statistics,
      data?.datasets,
    );
    const { bank } = this.#core.state;
    if (data !== undefined) this.#keeper = new ReasoningKeeper(bank, data.reasoning);
    const address = (): string => formatAddress(this.address);
    this.#reporter = new StatusReporter({
      core: this.#core.state,
      statistics: this.#statistics,
      peers: this.#peers,
      software: `quic-swarm ${version}`,
      get address(): string {
        return address();
      },
      startedAtMs: this.#driver.now(),
      endedBytes: this.#endedBytes,
      experiences: () => {
        const { recorded, resolved } = this.#core.state.bank.experiences.counters;
        return { recorded, resolved };
      },
    });
    this.#enquiries = new EnquiryDesk({
      driver: this.#driver,
      statistics: this.#statistics,
      reporter: this.#reporter,
      datasets: this.#datasets,
      reasoning: new ReasoningDesk(bank, this.#driver, this.#datasets),
    });
  }

  /**
   * Goes on with what is in the data folder, if there is one, and starts to listen. Rejects with ADDRESS_IN_USE,
   * BAD_ADDRESS, BAD_OPTION, or what is wrong with the data folder: STORE_LOCKED, STORE_CORRUPT, STORE_FULL, STORE_FAILED,
   * STORE_TOO_NEW.
   */
  static async start(options: CoordinatorOptions): Promise<QuicSwarmCoordinator> {
    const address =
      typeof options.address === 'string' ? parseAddress(options.address) : options.address;
    if (options.data === undefined && options.durableByDefault === true) throw noDataFolder();
    const data = options.data === undefined ? undefined : await openDataFolder(options.data);
    const coordinator = new QuicSwarmCoordinator(options, data);
    const transport =
      options.transport ??
      listeningTransport(options.security, {
        streamsMax: coordinator.#core.state.options.streamsMax,
      });
    try {
      await coordinator.#record();
      await coordinator.#restore(data);
      coordinator.#listener = await transport.listen({
        address,
        acceptEarlyData: true,
        onConnection: (connection) => {
          coordinator.#accept(connection);
        },
      });
    } catch (error) {
      coordinator.#reporter.stop();
      coordinator.#driver.stop();
      await data?.close();
      throw error;
    }
    return coordinator;
  }

  #journalIn(data: DataFolder): JournalWriter {
    return new JournalWriter(this.#core, this.#driver, {
      store: data.store,
      epoch: data.epoch,
      reopen: data.reopen,
      onChange: (failure) => {
        this.#options.onNotice?.({ type: 'JournalChanged', failure });
      },
    });
  }

  async #record(): Promise<void> {
    const { record, onNotice } = this.#options;
    if (record === undefined) return;
    const { options } = this.#core.state;
    const software = `quic-swarm ${version}`;
    this.#recorder = await EventRecorder.create(record, software, options, (error) => {
      onNotice?.({ type: 'RecordingFailed', error });
    });
  }

  /** Takes in what earlier lives have left. */
  async #restore(data: DataFolder | undefined): Promise<void> {
    if (this.#journal === undefined || data === undefined) return;
    const startedAtMs = this.#driver.now();
    const damagedDatasets = await this.#datasets.restore();
    await this.#journal.restore();
    const learnt = await data.reasoning.read();
    if (learnt !== undefined) this.#driver.feed({ type: 'BankRestored', snapshot: learnt });
    const { tasks, pendingTasks } = this.#core.state;
    this.#options.onNotice?.({
      type: 'Restored',
      epoch: this.#core.state.options.epoch,
      pendingTasks,
      finishedTasks: tasks.size - pendingTasks,
      damagedDatasets,
      damagedJournal: data.notices.map(({ message }) => message),
      tookMs: this.#driver.now() - startedAtMs,
    });
  }

  /** Where it listens; the port is never 0. */
  get address(): Address {
    return this.#listener?.address ?? { host: '', port: 0 };
  }

  /** What agents and clients elsewhere pin; undefined where the transport has no certificates. */
  get fingerprint(): string | undefined {
    return this.#listener?.fingerprint;
  }

  /** Everything that `swarm status` shows. */
  status(): StatusSummary {
    return this.#reporter.summary(this.#driver.now());
  }

  /** The agents that are connected or were a moment ago. */
  agents(): AgentRow[] {
    return this.#reporter.agents(this.#driver.now());
  }

  /** Accepts nothing new, lets accepted tasks end within the grace time, then closes. It does not wait for durable tasks: they
   *  go on with the next start, and their agents compute meanwhile. */
  async drain({ graceMs = 10_000 }: CoordinatorDrainOptions = {}): Promise<void> {
    const untilMs = this.#driver.now() + graceMs;
    this.#driver.feed({ type: 'DrainRequested' });
    if (!this.#core.isIdle && this.#closing === undefined) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMs);
        this.#idleWaiters.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    await this.#journal?.flushed();
    await this.#flushed(untilMs - this.#driver.now());
    await this.close();
  }

  /** Waits for results that are still on their way to their clients, within the time. */
  async #flushed(graceMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, graceMs));
    });
    const flushed = [...this.#peers.values()].map(async (peer) => peer.flushed());
    await Promise.race([Promise.all(flushed), over]);
    clearTimeout(timer);
  }

  /** Says goodbye to everybody and stops listening. Idempotent. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#driver.stop();
    this.#reporter.stop();
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
    for (const peer of this.#peers.values()) {
      peer.send('control', {
        type: 'Goodbye',
        body: { reason: 'The coordinator is shutting down.' },
      });
    }
    await this.#listener?.close({
      wireCode: NO_ERROR_WIRE_CODE,
      message: 'The coordinator is shutting down.',
    });
    await this.#keeper?.close();
    await this.#journal?.close();
    await this.#recorder?.close();
  }

  #accept(connection: Connection): void {
    this.#statistics.connectionsAccepted += 1;
    const { handshakeTimeoutMs = 5000, outgoingBytesMax = 64 * 1024 * 1024 } = this.#options;
    const { options } = this.#core.state;
    const peer = new Peer(connection, this.#peerListener(), {
      compression: this.#compression,
      handshakeTimeoutMs,
      outgoingBytesMax,
      payloadBytesMax: options.payloadBytesMax,
      datasetBytesMax: options.datasetBytesMax,
    });
    this.#peers.set(peer.id, peer);
  }

  #peerListener(): PeerListener {
    return {
      onBytes: () => {
        this.#driver.hold();
      },
      onBytesRead: () => {
        this.#driver.release();
      },
      onFailing: () => {
        this.#driver.settle();
      },
      onHandshake: (peer, message) => {
        this.#admit(peer, message);
      },
      onDispatchStream: ({ id: connectionId }) => {
        this.#driver.feed({ type: 'DispatchStreamOpened', connectionId });
      },
      onMessage: (peer, message) => {
        this.#receive(peer, message);
      },
      onUnreadableTask: ({ id: connectionId }, task, error) => {
        this.#driver.feed({
          type: 'MessageReceived',
          connectionId,
          message: failedFor(task, error),
        });
      },
      onDatasetRequest: (peer, request, reply) => {
        void this.#datasets.answer(peer.id, request, reply);
      },
      admitPayload: (message, payloadBytes) => this.#admitPayload(message, payloadBytes),
      onPayloadDone: (payloadBytes) => {
        this.#incomingBytes -= payloadBytes;
      },
      onClosed: (peer, closed) => {
        this.#forget(peer, closed);
      },
      onSent: (type) => {
        this.#statistics.noteSent(type);
      },
      onReceived: (type) => {
        this.#statistics.noteReceived(type);
      },
      onProtocolError: (peer, error) => {
        this.#statistics.noteError(error.type);
        const address = formatAddress(peer.connection.remoteAddress);
        this.#options.onNotice?.({ type: 'ProtocolError', address, error });
      },
    };
  }

  #admit(
    peer: Peer,
    message: Extract<Message, { type: 'AgentHandshake' | 'ClientHandshake' }>,
  ): void {
    let protocol: number;
    try {
      protocol = negotiateVersion(message.body);
    } catch (error) {
      peer.fail(error);
      return;
    }
    const common = {
      connectionId: peer.id,
      address: formatAddress(peer.connection.remoteAddress),
      protocol,
      sessionToken: newSessionToken(),
    };
    if (message.type === 'AgentHandshake') {
      peer.admit('agent');
      this.#driver.feed({ type: 'AgentJoined', ...common, handshake: message.body });
    } else {
      peer.admit('client');
      this.#driver.feed({ type: 'ClientJoined', ...common, handshake: message.body });
      this.#options.onNotice?.({
        type: 'ClientChanged',
        address: common.address,
        clientName: message.body.clientName,
        change: 'joined',
      });
    }
  }

  #admitPayload(message: Message, payloadBytes: number): SwarmError | undefined {
    const refusal = refuseIncoming(this.#core.state, message, payloadBytes, this.#incomingBytes);
    if (refusal === undefined) this.#incomingBytes += payloadBytes;
    else this.#statistics.noteError(refusal.type);
    return refusal;
  }

  /** Decodes a submission, within the room that there is, and goes on with it as if it had come plain. */
  async #receiveDecoded(peer: Peer, message: MessageOf<'SubmitTask'>): Promise<void> {
    const { requestId } = message.body;
    const bytes = decodedBytesOf(message.body);
    const refusal = this.#admitPayload(message, bytes);
    try {
      if (refusal !== undefined) throw refusal;
      this.#receive(peer, await decoded(message));
    } catch (error) {
      peer.send('client', this.#statistics.errorReport(requestId, error));
    } finally {
      if (refusal === undefined) this.#incomingBytes -= bytes;
    }
  }

  #receive(peer: Peer, message: Message): void {
    if (mustBeDecoded(message)) {
      void this.#receiveDecoded(peer, message);
      return;
    }
    if (this.#enquiries.answer(peer, message)) return;
    if (message.type === 'ErrorReport') {
      this.#statistics.noteError(message.body.failure.type);
    } else {
      this.#driver.feed({ type: 'MessageReceived', connectionId: peer.id, message });
    }
  }

  #forget(peer: Peer, { message: reason, wireCode }: ConnectionClosed): void {
    this.#peers.delete(peer.id);
    const { bytesReceived, bytesSent } = peer.connection.statistics();
    this.#endedBytes.received += bytesReceived;
    this.#endedBytes.sent += bytesSent;
    const client = this.#core.state.clients.get(peer.id);
    if (client !== undefined) {
      const { clientName, address } = client;
      this.#options.onNotice?.({ type: 'ClientChanged', address, clientName, change: 'left' });
    }
    const hasExpired = wireCode === ERRORS.CONNECTION_EXPIRED.wireCode;
    this.#driver.feed({ type: 'ConnectionEnded', connectionId: peer.id, reason, hasExpired });
  }

  #act(effect: CoordinatorEffect): void {
    switch (effect.type) {
      case 'Send': {
        const peer = this.#peers.get(effect.connectionId);
        if (peer?.queue(effect.on, effect.message) === true) this.#queuedPeers.push(peer);
        return;
      }
      case 'Close':
        void this.#peers.get(effect.connectionId)?.close(effect.errorType, effect.message);
        return;
      case 'DropDataset':
        this.#datasets.drop(effect.datasetId);
        return;
      case 'MergeShards':
        void this.#mergers.merge(effect).then((merged) => {
          this.#driver.feed({ type: 'ShardsMerged', taskId: effect.taskId, merged });
        });
        return;
      case 'AppendJournal':
        this.#journal?.append(effect);
        return;
      case 'TakeSnapshot':
        this.#journal?.takeSnapshot(effect);
        return;
      default:
        this.#statistics.observe(effect);
        this.#options.onNotice?.(effect);
        if (effect.type === 'TaskEnded' && this.#core.isIdle) {
          for (const resolve of this.#idleWaiters.splice(0)) resolve();
        }
    }
  }

  #flushPeers(): void {
    if (this.#queuedPeers.length === 0) return;
    const peers = this.#queuedPeers;
    this.#queuedPeers = [];
    for (const peer of peers) peer.flush();
  }
}

function newSessionToken(): string {
  return randomBytes(24).toString('base64url');
}
