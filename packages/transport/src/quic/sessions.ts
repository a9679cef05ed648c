/**
 * Sessions: what lets a client that was here before skip the certificate and, for bytes that may be repeated, the
 * handshake. The client keeps tickets; the server keeps only the key with which it sealed them.
 */
import { randomBytes } from 'node:crypto';

/**
 * Where a client keeps its tickets, by a key that names the server, what was believed of it, and who the client is.
 * A ticket is a secret: whoever has it can speak as this client until the server changes its key.
 */
export interface SessionStore {
  get(key: string): Uint8Array | undefined;
  set(key: string, session: Uint8Array): void;
  delete(key: string): void;
}

const SESSIONS_MAX = 1024;

/** Keeps the tickets of the last 1,024 servers for as long as the process lives. */
export class MemorySessionStore implements SessionStore {
  readonly #sessions = new Map<string, Uint8Array>();

  get(key: string): Uint8Array | undefined {
    return this.#sessions.get(key);
  }

  set(key: string, session: Uint8Array): void {
    // Deleting first puts the entry at the end of the row, so that the first one is the oldest.
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    if (this.#sessions.size <= SESSIONS_MAX) return;
    for (const oldest of this.#sessions.keys()) {
      this.#sessions.delete(oldest);
      return;
    }
  }

  delete(key: string): void {
    this.#sessions.delete(key);
  }
}

/** BoringSSL's size: a name of 16 bytes, 16 for the HMAC and 16 for AES-128. */
const TICKET_KEY_BYTES = 48;

/**
 * The key of a server's tickets. It changes after a while, because whoever stole it could read the early data of all
 * sessions that it sealed. Tickets of the key before are not understood any more: those clients pay a full handshake.
 */
export class TicketKey {
  readonly #lifetimeMs: number;
  readonly #now: () => number;
  #key = randomBytes(TICKET_KEY_BYTES);
  #changesAtMs: number;

  /** @param now milliseconds of a clock that never goes back */
  constructor(lifetimeMs: number, now: () => number = () => performance.now()) {
    this.#lifetimeMs = lifetimeMs;
    this.#now = now;
    this.#changesAtMs = now() + lifetimeMs;
  }

  /** The key to use now; a different object once it changed. */
  current(): Uint8Array {
    const nowMs = this.#now();
    if (nowMs >= this.#changesAtMs) {
      this.#key = randomBytes(TICKET_KEY_BYTES);
      this.#changesAtMs = nowMs + this.#lifetimeMs;
    }
    return this.#key;
  }
}
