/** Exact moments of one window, in the order of additions of `src/znormalise.ts`, so that both give the same bits. */

export const FLAT_TOLERANCE: f64 = 1e-12;

export function isFlat(mean: f64, deviation: f64): bool {
  return deviation < FLAT_TOLERANCE * max(1.0, abs(mean));
}

export function meanOfShifted(window: usize, length: i32, first: f64): f64 {
  let sum: f64 = 0;
  const end = window + ((<usize>length) << 3);
  for (let at = window; at < end; at += 8) sum += load<f64>(at) - first;
  return sum / <f64>length;
}

export function deviationOfShifted(window: usize, length: i32, first: f64, mean: f64): f64 {
  let sum: f64 = 0;
  const end = window + ((<usize>length) << 3);
  for (let at = window; at < end; at += 8) {
    const deviation = load<f64>(at) - first - mean;
    sum += deviation * deviation;
  }
  return sqrt(sum / <f64>length);
}

/** Writes the z-values of a raw window; zeros when it is flat. */
export function normaliseWindow(window: usize, length: i32, target: usize): void {
  const first = load<f64>(window);
  const mean = meanOfShifted(window, length, first);
  const deviation = deviationOfShifted(window, length, first, mean);
  if (isFlat(first + mean, deviation)) {
    memory.fill(target, 0, (<usize>length) << 3);
    return;
  }
  const firsts = f64x2.splat(first);
  const means = f64x2.splat(mean);
  const deviations = f64x2.splat(deviation);
  const end = (<usize>length) << 3;
  for (let at: usize = 0; at < end; at += 16) {
    const shifted = f64x2.sub(f64x2.sub(v128.load(window + at), firsts), means);
    v128.store(target + at, f64x2.div(shifted, deviations));
  }
}
