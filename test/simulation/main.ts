/** `npm run simulate`: many seeds, one after the other. */
import { runSeed } from '@quic-swarm/testkit';
import { USAGE, optionsOf } from './command-line.ts';
import { storyOf } from './story.ts';

/** How often it says how far it is. */
const PROGRESS_MS = 5000;

function main(): number {
  const options = optionsOf(process.argv.slice(2));
  if (options === undefined) {
    console.error(USAGE);
    return 2;
  }
  const { firstSeed, seeds, isVerbose } = options;
  const startedMs = performance.now();
  let saidMs = startedMs;
  let broken = 0;
  for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
    const report = runSeed(seed, { keepsLines: isVerbose });
    if (isVerbose) console.log(report.lines.join('\n'));
    if (report.broken !== undefined) {
      broken += 1;
      console.log(storyOf(report));
    }
    const nowMs = performance.now();
    if (nowMs - saidMs < PROGRESS_MS) continue;
    saidMs = nowMs;
    const done = seed - firstSeed + 1;
    const perSecond = (1000 * done) / (nowMs - startedMs);
    console.error(
      `${done} of ${seeds} seeds, ${perSecond.toFixed(0)} per second, ${broken} broken`,
    );
  }
  console.log(`${seeds} seeds run, ${broken} violations found`);
  return broken === 0 ? 0 : 1;
}

process.exitCode = main();
