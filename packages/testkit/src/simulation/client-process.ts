/**
 * A client in a simulation: the real session, a shell that talks to the simulated network, and somebody who submits
 * tasks and waits for what becomes of them.
 */
import {
  Session,
  type RequestMessage,
  type SessionEffect,
  type SessionEvent,
} from '@quic-swarm/client';
import { failure as failureOf, isExpected, type Failure, type Message } from '@quic-swarm/protocol';
import { nextDelayMs } from '@quic-swarm/transport';
import { DeadLetterUser } from './dead-letter-user.ts';
import { Life } from './life.ts';
import { PromiseLedger } from './promise-ledger.ts';
import type { RandomStream } from './random-stream.ts';
import type { SimulatedConnection } from './simulated-connection.ts';
import type { Alarm } from './virtual-clock.ts';
import type { WorldParts } from './world-parts.ts';

const CONNECT_TIMEOUT_MS = 3000;
const REQUEST_TIMEOUT_MS = 5000;
const GIVE_UP_AFTER_MS = 60_000;

/** See the head of this file. */
export class ClientProcess {
  readonly clientName: string;
  readonly ledger: PromiseLedger;
  readonly deadLetters: DeadLetterUser;
  readonly #parts: WorldParts;
  readonly #life: Life;
  readonly #random: RandomStream;
  readonly #session: Session;
  #connection: SimulatedConnection | undefined;
  #isAcknowledged = false;
  #connectedBefore = false;
  #alarm: Alarm | undefined;
  #alarmAtMs = Infinity;

  constructor(clientName: string, parts: WorldParts) {
    this.clientName = clientName;
    this.#parts = parts;
    this.#life = new Life(parts.clock);
    this.#random = parts.random.fork(`client ${clientName}`);
    this.#session = new Session({
      pending: { requestsMax: 10_000, bytesMax: 64 * 1024 * 1024 },
      chunks: { chunksMax: 1024, bytesMax: 64 * 1024 * 1024 },
      giveUpAfterMs: GIVE_UP_AFTER_MS,
      reconnectDelayMs: (attempt, random) => nextDelayMs(attempt, random),
    });
    this.ledger = new PromiseLedger(this, parts);
    this.deadLetters = new DeadLetterUser(this, parts, this.#random.fork('dead letters'));
    parts.note(`${clientName} starts`);
    this.#connect();
  }

  /** False once it was killed or closed. */
  get isRunning(): boolean {
    return this.#life.isAlive;
  }

  get isFrozen(): boolean {
    return this.#life.isFrozen;
  }

  /** True when nothing that it asked for is open. */
  get isContent(): boolean {
    return (
      this.ledger.isSettled &&
      this.#session.pendingRequests === 0 &&
      this.#session.watchedTasks === 0
    );
  }

  /** kill -9: nobody waits for its tasks any more. */
  kill(): void {
    this.#parts.note(`${this.clientName} is killed`);
    this.#life.kill();
    this.#connection?.abandon('dialler');
  }

  /** Closes in good order; what it waits for is refused. */
  close(): void {
    this.#parts.note(`${this.clientName} is closed`);
    this.#handle({ type: 'closed' });
    const goodbye: Message = { type: 'Goodbye', body: { reason: 'The client was closed.' } };
    this.#connection?.send('dialler', 'control', goodbye);
    this.#connection?.close('dialler', failureOf('CONNECTION_LOST', 'client closed'), 1000);
    this.#life.kill();
  }

  freeze(): void {
    this.#parts.note(`${this.clientName} is frozen`);
    this.#life.freeze();
  }

  thaw(): void {
    if (!this.#life.isFrozen) return;
    this.#parts.note(`${this.clientName} goes on`);
    this.#life.thaw();
  }

  /** Does something later, unless it is dead by then. */
  after(delayMs: number, action: () => void): void {
    this.#life.after(delayMs, action);
  }

  newRequestId(): number {
    return this.#session.newRequestId();
  }

  /** Makes a request; the ledger hears the answer. */
  request(message: RequestMessage, timeoutMs: number = REQUEST_TIMEOUT_MS): void {
    this.#handle({ type: 'requested', message, timeoutMs });
  }

  /** Does not want a task any more. */
  abandon(taskId: string, requestId: number): void {
    const { names, note } = this.#parts;
    note(`${this.clientName} abandons ${names.of(taskId)}`);
    this.#handle({ type: 'abandoned', taskId, requestId, reason: 'not wanted any more' });
  }

  /** Uploads a data set, on a stream of its own; the ledger is told when it is there, or not. */
  upload(requestId: number, datasetId: string): boolean {
    if (this.#connection?.isOpen('dialler') !== true || !this.#isAcknowledged) return false;
    const body = { requestId, datasetId, mediaType: 'simulated', payload: new Uint8Array(1) };
    this.#connection.send('dialler', undefined, { type: 'PutDataset', body });
    return true;
  }

  #handle(event: SessionEvent): void {
    if (!this.isRunning) return;
    for (const effect of this.#session.handle(event, this.#parts.clock.nowMs)) this.#act(effect);
    this.#arm();
  }

  #act(effect: SessionEffect): void {
    switch (effect.type) {
      case 'send':
        this.#send(effect.message);
        return;
      case 'connect':
        this.#connect();
        return;
      case 'answered':
        if (!this.deadLetters.answered(effect.requestId, effect.message)) this.ledger.hear(effect);
        return;
      default:
        this.ledger.hear(effect);
    }
  }

  #send(message: Message): void {
    if (this.#connection === undefined || !this.#isAcknowledged) return;
    const isAlone = this.#parts.travelsAlone(message, this.#random, this.clientName);
    const shared = isExpected(message.type, 'client', 'control') ? 'control' : 'client';
    this.#connection.send('dialler', isAlone ? undefined : shared, message);
  }

  #connect(): void {
    let opened: SimulatedConnection | undefined;
    let timer: Alarm | undefined;
    this.#parts.network.connect({
      name: this.clientName,
      life: this.#life,
      timeoutMs: CONNECT_TIMEOUT_MS,
      listener: {
        onMessage: (message) => {
          if (this.#connection !== opened) return;
          timer?.cancel();
          this.#hear(message);
        },
        onEnded: (reason) => {
          timer?.cancel();
          if (opened !== undefined && this.#connection === opened) this.#disconnected(reason);
        },
      },
      onOpened: (connection) => {
        opened = connection;
        this.#connection = connection;
        this.#isAcknowledged = false;
        const body = { protocolMin: 1, protocolMax: 1, clientName: this.clientName };
        connection.send('dialler', 'control', { type: 'ClientHandshake', body });
        timer = this.#life.after(CONNECT_TIMEOUT_MS, () => {
          const reason = failureOf('CONNECT_FAILED', 'The coordinator did not answer in time.');
          connection.close('dialler', reason, 0);
        });
      },
      onFailed: (reason) => this.#disconnected(reason),
    });
  }

  #hear(message: Message): void {
    if (!this.#isAcknowledged) {
      if (message.type === 'ClientAck') this.#acknowledged();
      return;
    }
    if (message.type === 'DatasetAck' && this.ledger.uploaded(message.body.requestId)) return;
    if (message.type === 'Goodbye') return;
    this.#handle({ type: 'received', message });
  }

  #acknowledged(): void {
    this.#isAcknowledged = true;
    this.#connectedBefore = true;
    const open: Message = { type: 'StreamOpen', body: { purpose: 'client' } };
    this.#connection?.send('dialler', 'client', open);
    this.#handle({ type: 'connected' });
    this.ledger.connected();
  }

  #disconnected(reason: Failure): void {
    this.#connection = undefined;
    this.#isAcknowledged = false;
    this.#parts.note(`${this.clientName} has no connection: ${reason.type}`);
    if (!this.#connectedBefore) {
      // A session begins with a connection; until there was one, its user tries again.
      this.after(500, () => this.#connect());
      return;
    }
    // What this side closed itself says less than why.
    const failure =
      reason.type === 'CLOSED_LOCALLY' ? failureOf('CONNECTION_LOST', reason.message) : reason;
    this.#handle({ type: 'disconnected', failure, random: this.#random.next() });
  }

  #arm(): void {
    const atMs = this.#session.nextTimeoutMs();
    if (atMs === undefined || atMs >= this.#alarmAtMs) return;
    this.#alarm?.cancel();
    this.#alarmAtMs = atMs;
    const delayMs = Math.max(0, Math.ceil(atMs - this.#parts.clock.nowMs));
    this.#alarm = this.#life.after(delayMs, () => {
      this.#alarmAtMs = Infinity;
      this.#handle({ type: 'timePassed' });
    });
  }
}
