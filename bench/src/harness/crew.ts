/** All processes of one contestant, started in order and kept over the rounds. */
import type { Abilities, Peer, TlsIdentity } from '../peers/contract.ts';
import { BenchProcess } from './child-process.ts';
import type { Contestant, Measured, Settings } from './model.ts';

/** What a measurement of a crew gave. */
export interface CrewMeasured extends Measured {
  /** Microseconds of CPU per operation, by process. */
  readonly cpuMicros: Readonly<Record<string, number>>;
}

/** What every crew of a run shares. */
export interface CrewSurroundings {
  readonly identity: TlsIdentity;
  readonly stateDirectory: string;
}

/** How long a step may take. */
const START_TIMEOUT_MS = 60_000;
const PREPARE_TIMEOUT_MS = 15_000;
const MEASURE_TIMEOUT_MS = 20_000;

/** See the head of this file. */
export class Crew {
  readonly contestant: Contestant;
  readonly #peer: Peer;
  readonly #surroundings: CrewSurroundings;
  readonly #processes: BenchProcess[] = [];
  #abilities: readonly (keyof Abilities)[] = [];
  #startFailure: Error | undefined;

  constructor(contestant: Contestant, peer: Peer, surroundings: CrewSurroundings) {
    this.contestant = contestant;
    this.#peer = peer;
    this.#surroundings = surroundings;
  }

  /** Starts the processes unless they run. Who could not start once is not asked to again. */
  async start(): Promise<void> {
    if (this.#startFailure !== undefined) throw this.#startFailure;
    if (this.#processes.length > 0) return;
    try {
      await this.#start();
    } catch (error) {
      this.#startFailure = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }

  async #start(): Promise<void> {
    const addresses: Record<string, string> = {};
    for (const { name } of this.#peer.processes) {
      const process = new BenchProcess(name, this.#surroundings.stateDirectory);
      this.#processes.push(process);
      const { address, abilities } = await process.start(
        {
          peer: this.contestant.peer,
          process: name,
          variant: this.contestant.variant ?? {},
          addresses,
          identity: this.#surroundings.identity,
        },
        START_TIMEOUT_MS,
      );
      if (address !== undefined) addresses[name] = address;
      this.#abilities = abilities;
    }
  }

  isAbleTo(ability: keyof Abilities): boolean {
    return this.#abilities.includes(ability);
  }

  /** Does a workload once. */
  async measure(workload: string, settings: Settings): Promise<CrewMeasured> {
    const client = this.#processes.at(-1);
    if (client === undefined) throw new Error('The processes were not started.');
    await client.ask('prepare', { workload, settings }, PREPARE_TIMEOUT_MS);
    const before = await this.#cpu();
    const measured = await client.ask('measure', undefined, MEASURE_TIMEOUT_MS);
    const after = await this.#cpu();
    await client.ask('dispose', undefined, PREPARE_TIMEOUT_MS);
    const cpuMicros: Record<string, number> = {};
    for (const [name, used] of after) {
      cpuMicros[name] = (used - (before.get(name) ?? 0)) / measured.operations;
    }
    return { ...measured, cpuMicros };
  }

  /** Ends the processes, gently. */
  async stop(): Promise<void> {
    for (const process of this.#processes.splice(0).toReversed()) await process.stop();
  }

  /** Ends the processes at once: something hangs. */
  async kill(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map(async (process) => process.kill()));
  }

  async #cpu(): Promise<Map<string, number>> {
    const used = new Map<string, number>();
    for (const process of this.#processes) {
      const { own, programs } = await process.cpuMicros(PREPARE_TIMEOUT_MS);
      // A process that only minds a broker uses next to nothing: what counts is the broker.
      used.set(process.name, own + (programs ?? 0));
    }
    return used;
  }
}
