/**
 * A series that is still growing: the DAX is known up to a day, and the days behind it arrive one by one. Does it ever look
 * again as it did in the last 30 days? A stream says so as soon as it is certain. It needs no swarm: these are the kernels
 * that agents run, in your own process.
 *
 * Run it: npx tsx examples/06-a-growing-series.ts
 */
import { PatternStream, searchPattern, type PatternMatch } from '@quic-swarm/kernels';
import { readPrices } from './prices.ts';

const KNOWN_DAYS = 1000;
const QUERY_DAYS = 30;

const { DAX: prices = new Float64Array() } = await readPrices();
const options = {
  query: prices.slice(KNOWN_DAYS - QUERY_DAYS, KNOWN_DAYS),
  band: 3,
  maximumDistance: 2.5, // of windows brought to mean 0 and deviation 1: the shape counts, not the level
};
const stream = new PatternStream(options);
const told: PatternMatch[] = [];

function tell(when: string, matches: readonly PatternMatch[]): void {
  told.push(...matches);
  for (const { start, length, distance } of matches) {
    const days = `days ${start} to ${start + length - 1}`;
    console.log(`${when}: ${days}  DTW distance ${distance.toFixed(4)}`);
  }
}

// A push may have any size: first all that is known, then a day at a time.
tell('in the past', stream.push(prices.subarray(0, KNOWN_DAYS)));
for (let day = KNOWN_DAYS; day < prices.length; day += 1) {
  // A match is told once, on the day from which no later window can take its place.
  tell(`on day ${day}`, stream.push(prices.subarray(day, day + 1)));
}
tell('at the end', stream.finish());

const { positions, dtwComputed } = stream.stats;
console.log(`${positions} windows, ${dtwComputed} of them compared in full`);

// Not to wait costs nothing: a search over all days finds the same windows.
const { matches } = searchPattern({ ...options, series: prices });
const starts = new Set(told.map(({ start }) => start));
const isSame = matches.length === told.length && matches.every(({ start }) => starts.has(start));
console.log(`the search over all days finds the same: ${isSame ? 'yes' : 'no'}`);
