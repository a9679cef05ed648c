/**
 * The stress run: `npm run stress -- --minutes 30 [--seed 1] [--seconds 15] [--moves]`. Pieces of random work over a random network,
 * each with a seed of its own. Exits with 1 when a connection stalled or anything happened that no network excuses; the
 * seed of a piece alone runs it again: `npm run stress -- --seed SEED --pieces 1`.
 */
import { parseArgs } from 'node:util';
import { mixedSeed } from '@quic-swarm/testkit';
import { planPiece } from './plan.ts';
import { runPiece, type PieceResult } from './piece.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '12' },
    pieces: { type: 'string', default: 'Infinity' },
    seed: { type: 'string' },
    // Clients change their ports: known to stall a connection in some hundreds with quiche 0.18.
    moves: { type: 'boolean', default: false },
  },
});

const firstSeed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const pieceSeconds = Number(values.seconds);
const pieces = Number(values.pieces);
const endsAtMs = performance.now() + Number(values.minutes) * 60_000;
if (![firstSeed, pieceSeconds, endsAtMs].every(Number.isFinite) || Number.isNaN(pieces)) {
  console.error('--minutes, --seconds, --pieces and --seed are numbers.');
  process.exit(2);
}

const results: PieceResult[] = [];
for (let piece = 0; piece < pieces && performance.now() < endsAtMs; piece += 1) {
  // The first piece has the seed that was given, so that a piece can be run again by its own seed.
  const seed = piece === 0 ? firstSeed : mixedSeed(firstSeed, piece) >>> 1;
  const startMs = performance.now();
  const result = await runPiece(planPiece(seed, values.moves), pieceSeconds, (text) => {
    console.error(`seed ${seed}: ${text}`);
  });
  results.push(result);
  console.log(describe(piece + 1, result, performance.now() - startMs));
  for (const bug of result.bugs) console.error(`seed ${seed}:`, bug);
}

const stalls = sum(({ stalls: count }) => count);
const bugs = sum(({ bugs: found }) => found.length);
console.log(
  `${results.length} pieces, ${sum(({ totals }) => totals.connections)} connections, ` +
    `${sum(({ totals }) => totals.streams)} streams, ${sum(({ totals }) => totals.resets)} resets, ` +
    `${megabytes(sum(({ totals }) => totals.bytes))} MB, ${stalls} stalls, ${bugs} failures ` +
    `(seed ${firstSeed})`,
);
process.exitCode = stalls + bugs === 0 ? 0 : 1;

function describe(
  piece: number,
  { plan, totals, stalls: count, longestIdleMs }: PieceResult,
  ms: number,
): string {
  const kinds = [
    `${plan.serverPayloadBytes}/${plan.clientPayloadBytes} bytes`,
    plan.weather,
    ...(plan.isMoving ? ['moving'] : []),
    ...(plan.hasHoles ? ['holes'] : []),
  ];
  const { connections, resumed, retries, lost, streams, resets, truncated, bytes } = totals;
  return (
    `piece ${piece}, seed ${plan.seed}: ${kinds.join(', ')}; ${plan.clients} clients, ` +
    `${plan.concurrency} at once, ≤ ${plan.messageBytesMax} bytes: ${connections} connections (${resumed} resumed, ${retries} retried, ${lost} lost), ` +
    `${streams} streams, ${resets} resets (${truncated} truncated), ${megabytes(bytes)} MB, ${count} stalls, ` +
    `longest silence ${longestIdleMs} ms (${(ms / 1000).toFixed(1)} s)`
  );
}

function sum(figure: (result: PieceResult) => number): number {
  return results.reduce((total, result) => total + figure(result), 0);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
