/** What several workloads need. */
import type { Abilities } from '../peers/contract.ts';
import type { Settings } from '../harness/model.ts';

/** The ability that the bench has checked to be there. */
export function abilityOf<Name extends keyof Abilities>(
  abilities: Partial<Abilities>,
  name: Name,
): Abilities[Name] {
  const ability = abilities[name];
  if (ability === undefined) throw new Error(`This contestant has no ${name}.`);
  return ability;
}

/** A setting that the workload has a default for. */
export function setting(settings: Settings, name: string): number {
  const value = settings[name];
  if (value === undefined) throw new Error(`The setting ${name} is missing.`);
  return value;
}

/** The message of all workloads; its first byte asks byte streams to echo. */
export function messageOf(bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(1);
}

/** A busy machine does fewer operations; to have enough of them it may take so many times as long. */
const OVERTIME = 4;

/**
 * Does `operation` again and again, one after the other, until the time is up and it was done `countMin` times, but for
 * at most four times as long; the time of each, milliseconds.
 */
export async function repeatFor(
  durationMs: number,
  operation: () => Promise<void>,
  countMin: number = 0,
): Promise<number[]> {
  const latenciesMs: number[] = [];
  const startMs = performance.now();
  let nowMs = startMs;
  while (
    nowMs < startMs + durationMs ||
    (latenciesMs.length < countMin && nowMs < startMs + OVERTIME * durationMs)
  ) {
    await operation();
    const thenMs = performance.now();
    latenciesMs.push(thenMs - nowMs);
    nowMs = thenMs;
  }
  return latenciesMs;
}

/** Keeps `inFlight` operations going until the time is up and the last one is done; how many, and how long it took. */
export async function keepInFlight(
  inFlight: number,
  durationMs: number,
  operation: () => Promise<void>,
): Promise<{ operations: number; elapsedMs: number }> {
  const startMs = performance.now();
  const endMs = startMs + durationMs;
  let operations = 0;
  const lane = async (): Promise<void> => {
    do {
      await operation();
      operations += 1;
    } while (performance.now() < endMs);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { operations, elapsedMs: performance.now() - startMs };
}
