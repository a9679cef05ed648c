/** What heartbeats say about the process: how long its event loop stalled, its memory, its share of the cores. */
import { availableParallelism } from 'node:os';
import { monitorEventLoopDelay, performance, type IntervalHistogram } from 'node:perf_hooks';

/** One reading, since the reading before. */
export interface LoadReading {
  readonly eventLoopLagMs: number;
  readonly memoryBytes: number;
  readonly cpuLoad: number;
}

const RESOLUTION_MS = 20;

/** Measures from its construction to `stop`. */
export class LoadMeter {
  readonly #delay: IntervalHistogram;
  #cpu: NodeJS.CpuUsage = process.cpuUsage();
  #readAtMs = performance.now();

  constructor() {
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delay.enable();
  }

  /** Reads and begins anew. */
  read(): LoadReading {
    const nowMs = performance.now();
    const elapsedMs = Math.max(1, nowMs - this.#readAtMs);
    const { user, system } = process.cpuUsage(this.#cpu);
    // The histogram holds nanoseconds between two looks, of which one resolution is the timer itself.
    const eventLoopLagMs = Math.max(0, this.#delay.max / 1e6 - RESOLUTION_MS);
    this.#delay.reset();
    this.#cpu = process.cpuUsage();
    this.#readAtMs = nowMs;
    const cpuLoad = (user + system) / 1000 / elapsedMs / availableParallelism();
    return {
      eventLoopLagMs: Number.isFinite(eventLoopLagMs) ? eventLoopLagMs : 0,
      memoryBytes: process.memoryUsage.rss(),
      cpuLoad: Math.min(1, Math.max(0, cpuLoad)),
    };
  }

  stop(): void {
    this.#delay.disable();
  }
}
