/** Time that processes of one machine agree on, and waiting. */

/** Milliseconds since 1970 with fractions; the handlers of a run write the same clock into the journal. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

export async function pauseMs(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Asks again until the answer is yes. Returns false when it was not within `patienceMs`. */
export async function within(
  patienceMs: number,
  isSo: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const endMs = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) return false;
    await pauseMs(20);
  }
  return true;
}
