/** From numbers to places: a linear scale, round ticks, and lines of many points thinned to what a screen can show. */
import { coordinate } from './svg.ts';

/** Values beyond this size are drawn as gaps: the search skips their windows as well. */
const DRAWABLE_MAGNITUDE_MAX = 1e150;

/** An interval; `low` may be mapped to a larger place than `high`, as on a vertical axis. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Maps the numbers of one interval to the places of another. */
export function linearScale(domain: Interval, range: Interval): (value: number) => number {
  const span = domain.high - domain.low;
  return (value) => range.low + ((value - domain.low) / span) * (range.high - range.low);
}

/** True for a value that has a place on a scale. */
export function isDrawable(value: number): boolean {
  return Math.abs(value) <= DRAWABLE_MAGNITUDE_MAX;
}

/** The extremes of all drawable values, a little apart even where they are equal; 0 to 1 without any. */
export function extentOf(series: Iterable<Float64Array>): Interval {
  let low = Infinity;
  let high = -Infinity;
  for (const values of series) {
    for (const value of values) {
      if (!isDrawable(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low > high) return { low: 0, high: 1 };
  // Where doubles are too coarse for the difference, a share of the level takes its place.
  const least = Math.max(Math.abs(low), Math.abs(high), 1e-300) * 1e-9;
  if (high - low >= least) return { low, high };
  const room = Math.max(least, Math.abs(low) * 0.01, low === 0 ? 1 : 0);
  return { low: low - room, high: high + room };
}

/** A little more at both ends, so that a line does not touch its frame. */
export function widened({ low, high }: Interval, share: number): Interval {
  const room = (high - low) * share;
  return { low: low - room, high: high + room };
}

/** A tick with its label. */
export interface Tick {
  readonly value: number;
  readonly label: string;
}

/** Ticks at 1, 2 or 5 times a power of ten within the interval, about `count` of them. */
export function niceTicks({ low, high }: Interval, count: number): Tick[] {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough * (1 - 1e-9)) ?? 10;
  const step = factor * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const ticks: Tick[] = [];
  for (let index = first; index <= last && ticks.length <= 2 * count + 2; index += 1) {
    ticks.push({ value: index * step, label: tickLabel(index * step, step) });
  }
  return ticks;
}

/** As many decimals as the step needs; powers of ten where a number would be long. */
function tickLabel(value: number, step: number): string {
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const text =
    magnitude >= 1e7 || decimals > 5
      ? value.toExponential(
          Math.min(
            6,
            Math.max(0, Math.floor(Math.log10(magnitude)) - Math.floor(Math.log10(step))),
          ),
        )
      : value.toFixed(decimals);
  return withMinus(text);
}

/** A number with a true minus sign, which is as wide as a digit. */
export function withMinus(text: string): string {
  return text.replace('-', '\u2212');
}

/**
 * The path of a line through all values, broken at gaps. Where several points share a pixel, only the first, lowest,
 * highest and last of them are kept, which looks the same and keeps a million points at a few thousand.
 */
export function linePath(
  values: Float64Array,
  placeX: (index: number) => number,
  placeY: (value: number) => number,
): string {
  const parts: string[] = [];
  let isPenDown = false;
  const draw = (index: number): void => {
    const x = coordinate(placeX(index));
    const y = coordinate(placeY(values[index] ?? 0));
    parts.push(`${isPenDown ? 'L' : 'M'}${x} ${y}`);
    isPenDown = true;
  };
  let index = 0;
  while (index < values.length) {
    if (!isDrawable(values[index] ?? Number.NaN)) {
      isPenDown = false;
      index += 1;
      continue;
    }
    const end = endOfPixel(values, index, placeX);
    for (const kept of cornersOf(values, index, end)) draw(kept);
    index = end;
    // A value between two gaps has no line; a dot of no length shows with round caps.
    const isAlone = parts.at(-1)?.startsWith('M') === true;
    if (isAlone && !isDrawable(values[index] ?? Number.NaN)) parts.push('h0');
  }
  return parts.join('');
}

/** Index behind the last point without a gap that shares the pixel of the point at `start`. */
function endOfPixel(
  values: Float64Array,
  start: number,
  placeX: (index: number) => number,
): number {
  const pixel = Math.floor(placeX(start));
  let end = start + 1;
  while (
    end < values.length &&
    isDrawable(values[end] ?? Number.NaN) &&
    Math.floor(placeX(end)) === pixel
  ) {
    end += 1;
  }
  return end;
}

/** First, lowest, highest and last index of a run, ascending and each once. */
function cornersOf(values: Float64Array, start: number, end: number): number[] {
  let lowest = start;
  let highest = start;
  for (let index = start; index < end; index += 1) {
    if ((values[index] ?? 0) < (values[lowest] ?? 0)) lowest = index;
    if ((values[index] ?? 0) > (values[highest] ?? 0)) highest = index;
  }
  return [...new Set([start, lowest, highest, end - 1])].sort((a, b) => a - b);
}
