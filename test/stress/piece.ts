/** One piece of a stress run: a listener, a faulty network, clients, all drawn from one seed. */
import { FaultProxy, seededRandom } from '@quic-swarm/testkit';
import {
  createQuicTransport,
  createSelfSignedCertificate,
  type Listener,
  type QuicTransportOptions,
} from '@quic-swarm/transport';
import { runClient } from './client.ts';
import { isLossy, type PiecePlan, type Random } from './plan.ts';
import { serveConnection } from './server.ts';
import type { Totals } from './totals.ts';
import { Watchdog, type Watched } from './watchdog.ts';

/** How a piece went. */
export interface PieceResult {
  readonly plan: PiecePlan;
  readonly totals: Totals;
  readonly stalls: number;
  /** The longest time in which nothing moved on a connection that had work to do. */
  readonly longestIdleMs: number;
  /** What happened that no network excuses. */
  readonly bugs: readonly Error[];
}

const identity = createSelfSignedCertificate({ commonName: 'stress', hosts: ['127.0.0.1'] });

/** Runs a piece for about so many seconds; `report` is told of stalls when they happen. */
export async function runPiece(
  plan: PiecePlan,
  seconds: number,
  report: (text: string) => void,
): Promise<PieceResult> {
  const { seed } = plan;
  const random = seededRandom(seed + 1);
  const totals: Totals = {
    connections: 0,
    resumed: 0,
    retries: 0,
    lost: 0,
    streams: 0,
    resets: 0,
    truncated: 0,
    bytes: 0,
  };
  const bugs: Error[] = [];
  const onBug = (error: Error): void => {
    bugs.push(error);
  };
  const watchdog = new Watchdog(report);
  watchdog.isLossy = isLossy(plan.faults) || plan.isMoving || plan.hasHoles;
  const watchedByNumber = new Map<number, Watched>();
  const listener = await serverOf(plan).listen({
    address: { host: '127.0.0.1', port: 0 },
    onConnection: (connection) => {
      serveConnection(connection, { seed, watchedByNumber, totals, onBug });
    },
  });
  const proxy = await FaultProxy.open({ server: listener.address, seed, faults: plan.faults });
  const overAtMs = performance.now() + seconds * 1000;
  const context = {
    plan,
    // One transport for all connections of a piece: with a store of sessions, all but the first resume.
    transport: clientOf(plan),
    address: proxy.address,
    watchdog,
    watchedByNumber,
    totals,
    onBug,
    isOver: () => performance.now() >= overAtMs || bugs.length > 0,
  };
  const disturbing = disturb(proxy, plan, random, context.isOver);
  await Promise.all(
    Array.from({ length: plan.clients }, async (_, index) =>
      runClient(`client ${index}`, context, seededRandom(seed + 100 + index)),
    ),
  );
  await disturbing;
  const left = await leftovers(listener);
  if (left > 0) onBug(new Error(`The tables of the listener have ${left} entries at the end.`));
  watchdog.stop();
  await listener.close();
  await proxy.close();
  const { stalls, longestIdleMs } = watchdog;
  return { plan, totals, stalls, longestIdleMs, bugs };
}

/** What the listener still holds once it had the time to hear of every end: at the latest its idle timeout. */
async function leftovers(listener: Listener): Promise<number> {
  const size = (): number => ('tableSize' in listener ? Number(listener.tableSize) : 0);
  const untilMs = performance.now() + 2 * IDLE_TIMEOUT_MS;
  while (size() > 0 && performance.now() < untilMs) await pauseMs(20);
  return size();
}

/** Moves clients to other ports, and lets nothing pass for a while. */
async function disturb(
  proxy: FaultProxy,
  plan: PiecePlan,
  random: Random,
  isOver: () => boolean,
): Promise<void> {
  // One connection can move seven times: quiche never forgets a connection id that was used on a path.
  let movesLeft = plan.isMoving ? 6 : 0;
  while (!isOver()) {
    await pauseMs(200 + random() * 1500);
    if (movesLeft > 0) {
      movesLeft -= 1;
      await proxy.rebind(random() < 0.3 ? '127.0.0.2' : '127.0.0.1');
    }
    if (plan.hasHoles && random() < 0.5) {
      proxy.change({ isDown: true });
      await pauseMs(random() * 1000);
      proxy.change({ isDown: false });
    }
  }
}

/** Long enough that no lossy path ends a connection by accident. */
const IDLE_TIMEOUT_MS = 20_000;

function settingsOf(plan: PiecePlan): Omit<QuicTransportOptions, 'server' | 'client'> {
  const { streamsMax, streamWindowBytes, connectionWindowBytes } = plan;
  return { idleTimeoutMs: IDLE_TIMEOUT_MS, streamsMax, streamWindowBytes, connectionWindowBytes };
}

function serverOf(plan: PiecePlan): ReturnType<typeof createQuicTransport> {
  return createQuicTransport({
    ...settingsOf(plan),
    server: identity,
    maxUdpPayloadBytes: plan.serverPayloadBytes,
    limits: { halfOpenBeforeRetry: plan.halfOpenBeforeRetry },
  });
}

function clientOf(plan: PiecePlan): ReturnType<typeof createQuicTransport> {
  return createQuicTransport({
    ...settingsOf(plan),
    client: { trust: { fingerprints: [identity.fingerprint] } },
    maxUdpPayloadBytes: plan.clientPayloadBytes,
  });
}

async function pauseMs(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
