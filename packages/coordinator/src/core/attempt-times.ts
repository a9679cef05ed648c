/**
 * How long attempts of a task type take: a histogram with steps of a quarter octave, of which old entries fade, so that
 * it says within a fifth what is usual now.
 */

const STEPS_PER_OCTAVE = 4;
/** From a quarter of a millisecond to half a day. */
const STEPS = 110;
const SHORTEST_MS = 0.25;
/** Then all counts are halved. */
const COUNT_MAX = 2048;
/** Of fewer nobody can say what is usual. */
const COUNT_MIN = 20;
/** Types beyond these are not watched: users may make up names. */
const TYPES_MAX = 256;

/** See the head of this file. */
export class AttemptTimes {
  readonly #counts = new Map<string, { readonly steps: Float64Array; total: number }>();

  /** An attempt has succeeded after so long. */
  note(taskType: string, durationMs: number): void {
    let counts = this.#counts.get(taskType);
    if (counts === undefined) {
      if (this.#counts.size >= TYPES_MAX) return;
      counts = { steps: new Float64Array(STEPS), total: 0 };
      this.#counts.set(taskType, counts);
    }
    const step = stepOf(durationMs);
    counts.steps[step] = (counts.steps[step] ?? 0) + 1;
    counts.total += 1;
    if (counts.total < COUNT_MAX) return;
    counts.total = 0;
    for (const [i, count] of counts.steps.entries()) {
      counts.steps[i] = count / 2;
      counts.total += count / 2;
    }
  }

  /** The duration that a fraction of the attempts do not exceed; undefined when too few have been seen. */
  quantileMs(taskType: string, fraction: number): number | undefined {
    const counts = this.#counts.get(taskType);
    if (counts === undefined || counts.total < COUNT_MIN) return undefined;
    let left = counts.total * fraction;
    for (const [step, count] of counts.steps.entries()) {
      left -= count;
      if (left <= 0) return upperMsOf(step);
    }
    return upperMsOf(STEPS - 1);
  }
}

function stepOf(durationMs: number): number {
  const octaves = Math.log2(Math.max(durationMs, SHORTEST_MS) / SHORTEST_MS);
  return Math.min(STEPS - 1, Math.floor(octaves * STEPS_PER_OCTAVE));
}

function upperMsOf(step: number): number {
  return SHORTEST_MS * 2 ** ((step + 1) / STEPS_PER_OCTAVE);
}
