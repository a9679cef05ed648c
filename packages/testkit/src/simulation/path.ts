/** The way between one process and the coordinator: its weather, and whether it is cut, in one direction or both. */
import type { RandomStream } from './random-stream.ts';
import { transitMs, type Weather } from './weather.ts';

/** Who sends: the process that connects, or the coordinator that it connects to. */
export type Side = 'dialler' | 'listener';

/** The other one. */
export function otherSide(side: Side): Side {
  return side === 'dialler' ? 'listener' : 'dialler';
}

/** See the head of this file. It outlives connections. */
export class Path {
  weather: Weather;
  readonly random: RandomStream;
  readonly #cut: Record<Side, boolean> = { dialler: false, listener: false };
  readonly #onHealed: Set<() => void> = new Set();

  constructor(weather: Weather, random: RandomStream) {
    this.weather = weather;
    this.random = random;
  }

  /** Nothing that this side sends arrives. */
  isCutFrom(side: Side): boolean {
    return this.#cut[side];
  }

  get isOpen(): boolean {
    return !this.#cut.dialler && !this.#cut.listener;
  }

  cut(...sides: readonly Side[]): void {
    for (const side of sides) this.#cut[side] = true;
  }

  /** Both directions work again. Those who wait for it are told. */
  heal(): void {
    if (this.isOpen) return;
    this.#cut.dialler = false;
    this.#cut.listener = false;
    for (const listener of this.#onHealed) listener();
  }

  /** Calls back with each healing until the returned function is called. */
  onHealed(listener: () => void): () => void {
    this.#onHealed.add(listener);
    return () => this.#onHealed.delete(listener);
  }

  /** How long a message takes that is sent now. */
  transitMs(): number {
    return transitMs(this.weather, this.random);
  }
}
