/**
 * A run that lets other threads of its agent help. The host's thread splits its work into parts and takes one after the
 * other; threads that have nothing else to do take parts too and leave when a task waits for them. So a team costs the
 * other tasks nothing, and a host that nobody helps does all parts itself.
 *
 * Helpers run the export `help` of the handler's module. What they say goes through the main thread, which also notices
 * when one of them dies.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { decodeDocument } from '@quic-swarm/protocol';
import type { TaskContext } from '../task-handler.ts';
import { TeamMemory } from './team-memory.ts';
import type { HelpSetup, Invitation, TeamMessage } from './thread-messages.ts';

/** What a handler in a worker thread is given beyond what users' handlers see. */
export interface ThreadContext extends TaskContext {
  /** The threads of the agent; undefined where there are no others. */
  readonly team?: Team | undefined;
  /** Memory of zeros that all shards of the task on this agent share. */
  readonly scratch?: SharedArrayBuffer | undefined;
}

/** What a helper is given: it emits lists of {@link DonePart}, which hold each part that it has done, and stops when `isCancelled` says so. */
export interface HelperContext extends ThreadContext {
  readonly parts: HelperParts;
}

/** A part that a helper has done. */
export interface DonePart<T> {
  readonly part: number;
  readonly value: T;
}

/** The parts as a helper sees them. */
export class HelperParts {
  readonly #memory: TeamMemory;
  readonly #helper: number;

  constructor({ memory, helper }: HelpSetup) {
    this.#memory = new TeamMemory(memory);
    this.#helper = helper;
  }

  /** How many there are. */
  get count(): number {
    return this.#memory.parts;
  }

  /** True when nobody wants them any more. */
  get isClosed(): boolean {
    return this.#memory.isClosed;
  }

  take(): number | undefined {
    return this.#memory.take(this.#helper);
  }

  finishOne(): void {
    this.#memory.finishOne();
  }
}

/** What a host asks for help with. */
export interface TeamWork<T> {
  readonly parts: number;
  /** Memory that the helpers share with the host beside the parts. */
  readonly scratch: SharedArrayBuffer;
  /** Does one part in this thread. */
  readonly compute: (part: number, finishedParts: () => number) => T;
  /** Ends the wait for helpers. */
  readonly signal: () => AbortSignal;
}

/** The host's side. */
export class Team {
  /** Threads of the agent, this one included. */
  readonly threads: number;
  readonly #invite: (invitation: Invitation) => void;

  constructor(threads: number, invite: (invitation: Invitation) => void) {
    this.threads = threads;
    this.#invite = invite;
  }

  /** Does all parts, with the help of whoever comes; resolves with their values in order. Rejects as `compute` throws. */
  async computeTogether<T>({ parts, scratch, compute, signal }: TeamWork<T>): Promise<T[]> {
    const memory = TeamMemory.of(parts);
    const { port1: port, port2: farPort } = new MessageChannel();
    const inbox = new Inbox(port);
    const done = new Map<number, T>();
    const take = (): number | undefined => memory.take();
    try {
      // Taken before anybody is invited, so that the host has a part of its own in any case.
      let part = take();
      this.#invite({ memory: memory.buffer, scratch, port: farPort });
      while (done.size < parts) {
        if (part === undefined) receive(await inbox.next(signal()), memory, done);
        else {
          done.set(
            part,
            compute(part, () => memory.finished),
          );
          memory.finishOne();
        }
        part = take();
      }
    } finally {
      memory.close();
      port.close();
    }
    return Array.from({ length: parts }, (_, part) => done.get(part) as T);
  }
}

function receive<T>(message: TeamMessage, memory: TeamMemory, done: Map<number, T>): void {
  if (message.type === 'part') {
    const parts = decodeDocument(message.payload) as readonly DonePart<T>[];
    for (const { part, value } of parts) done.set(part, value);
    return;
  }
  // What a helper took and did not do is everybody's again.
  for (const part of memory.takenBy(message.helper)) if (!done.has(part)) memory.giveBack(part);
}

/** Messages that have come, for one reader that waits. */
class Inbox {
  readonly #messages: TeamMessage[] = [];
  #wake: (() => void) | undefined;
  #isListening = false;

  constructor(port: MessagePort) {
    port.on('message', (message: TeamMessage) => {
      this.#messages.push(message);
      this.#wake?.();
    });
  }

  /** @throws the reason of the signal */
  async next(signal: AbortSignal): Promise<TeamMessage> {
    if (!this.#isListening) signal.addEventListener('abort', () => this.#wake?.(), { once: true });
    this.#isListening = true;
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
