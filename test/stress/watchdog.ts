/**
 * Notices connections that have something to do and do not get on. Each connection of a stress run has a record here:
 * what is begun and not ended, and when anything last moved.
 *
 * Over a lossy path a connection may rightly wait for its next probe, whose distance doubles each time; then quiche's
 * loss timer runs at one of the ends. A connection for which neither end has such a timer, or which waits for too many
 * of them, has stalled.
 */
import type { Connection } from '@quic-swarm/transport';

const CHECK_EVERY_MS = 100;
const PATIENCE_MS = 2000;
/** Silence is broken after a quarter of a second to a second, then after times that double: four of them may be in vain. */
const LOSSY_PATIENCE_MS = 10_000;
/** Handshakes are repeated by their caller. */
const HANDSHAKES_PATIENCE_MS = 60_000;

/** Who believes in so long a round trip may have a loss timer that cannot be told from that of the idle timeout. */
const LONG_ROUND_TRIP_MS = 200;

/** One connection under observation, from the attempt to connect to its end. */
export class Watched {
  readonly name: string;
  client: Connection | undefined;
  server: Connection | undefined;
  /** What is going on, by its number. */
  readonly work = new Map<number, string>();
  #workBegun = 0;
  /** Time of the event loop since anything moved. */
  idleMs = 0;
  isReported = false;
  /** Called when the connection stalled, so that the piece goes on without it. */
  onStall: () => void = () => undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** The server has not heard the first word: perhaps the last of the handshake is still on its way, and it can read
   *  nothing before. */
  get isMeeting(): boolean {
    return this.client === undefined || this.server === undefined;
  }

  /** Something moved. */
  progress(): void {
    this.idleMs = 0;
    this.isReported = false;
  }

  /** Runs work that must get on until it ends. */
  async during<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.#workBegun += 1;
    const number = this.#workBegun;
    this.work.set(number, what);
    if (this.work.size === 1) this.progress();
    try {
      return await work();
    } finally {
      this.work.delete(number);
      this.progress();
    }
  }
}

/** See the head of this file. */
export class Watchdog {
  /** How many connections stalled. */
  stalls = 0;
  /** The longest time in which nothing moved on a connection that both ends had heard of. */
  longestIdleMs = 0;
  readonly #watched = new Set<Watched>();
  readonly #report: (text: string) => void;
  readonly #timer: NodeJS.Timeout;
  /** Datagrams may be lost at present. */
  isLossy = false;

  constructor(report: (text: string) => void) {
    this.#report = report;
    this.#timer = setInterval(() => {
      for (const watched of this.#watched) this.#check(watched);
    }, CHECK_EVERY_MS);
  }

  watch(name: string): Watched {
    const watched = new Watched(name);
    this.#watched.add(watched);
    return watched;
  }

  forget(watched: Watched): void {
    this.#watched.delete(watched);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #check(watched: Watched): void {
    if (watched.work.size === 0) return;
    // Turns are counted, not time: a process that does not get the processor has not stalled.
    watched.idleMs += CHECK_EVERY_MS;
    if (!watched.isMeeting) this.longestIdleMs = Math.max(this.longestIdleMs, watched.idleMs);
    if (watched.idleMs < PATIENCE_MS || watched.isReported) return;
    if (this.isLossy) {
      if (watched.idleMs === PATIENCE_MS) this.#report(describe('QUIET', watched));
      const patienceMs = watched.isMeeting ? HANDSHAKES_PATIENCE_MS : LOSSY_PATIENCE_MS;
      if (watched.idleMs < patienceMs && isProbing(watched)) return;
    }
    watched.isReported = true;
    this.stalls += 1;
    this.#report(describe('STALLED', watched));
    watched.onStall();
  }
}

function isProbing({ isMeeting, client, server }: Watched): boolean {
  // An attempt to connect whose handshake is not complete is probed by its client, which is not ours to see.
  if (isMeeting) return true;
  return [client, server].some((end) => {
    const diagnosis = diagnosisOf(end);
    const roundTripMs = Number(diagnosis?.['roundTripMs'] ?? 0);
    return diagnosis?.['isLossTimerArmed'] === true || roundTripMs >= LONG_ROUND_TRIP_MS;
  });
}

function diagnosisOf(connection: Connection | undefined): Record<string, unknown> | undefined {
  if (connection === undefined || !('diagnosis' in connection)) return undefined;
  return connection.diagnosis as Record<string, unknown>;
}

function describe(
  what: 'QUIET' | 'STALLED',
  { name, work, idleMs, client, server }: Watched,
): string {
  const counts = new Map<string, number>();
  for (const begun of work.values()) counts.set(begun, (counts.get(begun) ?? 0) + 1);
  const lines = [`${what} ${name}: nothing moved for ${idleMs} ms`];
  for (const [begun, count] of counts) lines.push(`  ${count} × ${begun}`);
  lines.push(`  client ${text(diagnosisOf(client))}`, `  server ${text(diagnosisOf(server))}`);
  return lines.join('\n');
}

function text(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'bigint' ? String(each) : each === Infinity ? 'never' : each,
  );
}
