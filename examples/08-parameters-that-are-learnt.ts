/**
 * A handler of your own whose parameter is learnt: how far back should one look to say how much the DAX will move tomorrow?
 * The handler declares four answers, and the coordinator chooses one of them for each day. On the next day it is told how
 * much the DAX did move, and learns. What the other three would have said costs nothing here, so the handler tells it too.
 *
 * Run it: npx tsx examples/08-parameters-that-are-learnt.ts
 */
import type { TaskContext, TaskHandler } from '@quic-swarm/agent';
import { connect } from '@quic-swarm/client';
import { startSwarm } from './local-swarm.ts';
import { readPrices } from './prices.ts';

const DAYS = 400;
const ARMS = [80, 2, 5, 20].map((halfLife) => ({ halfLife }));

/** The mean of the moves so far; what is `halfLife` days older counts half as much. */
function forecast(moves: Float64Array, halfLife: number): number {
  const decay = 0.5 ** (1 / halfLife);
  let sum = 0;
  let weight = 0;
  for (const move of moves) {
    sum = sum * decay + move;
    weight = weight * decay + 1;
  }
  return sum / weight;
}

function handle(moves: Float64Array, context: TaskContext): number {
  const { halfLife } = context.arm ?? ARMS[0] ?? {};
  const alternatives = ARMS.map((arm) => ({
    arm,
    predicted: { mean: forecast(moves, arm.halfLife) },
  }));
  const mean = forecast(moves, Number(halfLife));
  context.predict({ mean }, alternatives);
  return mean;
}

await using own = await startSwarm([
  {
    id: 'agent-1',
    type: 'compute',
    handlers: { 'move.tomorrow': handle as TaskHandler },
    // The first arm is what it would use by itself. Whoever computes one knows all.
    tunables: { 'move.tomorrow': { arms: ARMS, freeParameters: ['halfLife'], loss: 'absolute' } },
  },
]);
await using swarm = await connect(own.address);

const { DAX = new Float64Array(0) } = await readPrices();
const moves = Float64Array.from(
  { length: DAX.length - 1 },
  (_, day) => 100 * Math.abs(Math.log((DAX[day + 1] ?? 0) / (DAX[day] ?? 1))),
);
const start = moves.length - DAYS;
for (let day = start; day < moves.length; day += 1) {
  const learn = { seriesId: 'DAX', step: day };
  const task = await swarm.submit<number>('move.tomorrow', moves.slice(day - 250, day), { learn });
  await task.result();
  // A day later:
  await swarm.outcome(task.id, { actual: moves[day], step: day + 1 });
}

const arms = await swarm.reasoning('arms', { taskType: 'move.tomorrow' });
for (const { armId, scored, meanUtility = 0 } of arms) {
  console.log(
    `${armId.padEnd(12)} known of ${scored} days, mean utility ${meanUtility.toFixed(4)}`,
  );
}
const best = arms.toSorted((a, b) => (b.meanUtility ?? 0) - (a.meanUtility ?? 0))[0];
console.log(`look back ${best?.arm['halfLife']} days`);
