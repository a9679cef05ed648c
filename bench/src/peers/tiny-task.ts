/** The tiny task of the bench, wherever it is computed. The default export is what a thread of quic-swarm runs. */

/** Computes for so long. */
export function computeFor(durationMs: number): void {
  if (durationMs <= 0) return;
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs);
}

export default function handle(durationMs: unknown): null {
  computeFor(Number(durationMs));
  return null;
}
