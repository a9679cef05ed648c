/**
 * What the coordinator has suggested for the tasks whose arm it does not choose itself: one suggestion for each task type,
 * the last one that fitted. It is in force until its time is over, another one takes its place (which is how a bad one
 * is rolled back), or its arms are not offered any more.
 *
 * It outlives connections, but not the coordinator that made it: one that was started anew makes up its mind anew from
 * what it knows, and tells each agent that joins.
 */
import type { AdaptationSuggestion, AgentTask, Arm, Tunable } from '@quic-swarm/protocol';
import { armKeyOf } from './arms.ts';

/** A reason that quotes arms stays short. */
const QUOTED_LENGTH_MAX = 200;

interface Adoption {
  readonly from: Arm;
  readonly to: Arm;
  readonly canaryPercent: number;
  readonly endsAtMs: number;
}

/** The parameters that can be tuned, and what was suggested for them. */
export class Adoptions {
  #tunables: ReadonlyMap<string, Tunable>;
  readonly #inForce: Map<string, Adoption> = new Map();
  /** Of the coordinator that made the suggestions. */
  #epoch: number | undefined;

  constructor(tunables: readonly Tunable[]) {
    this.#tunables = byTaskType(tunables);
  }

  /** What can be tuned. */
  get tunables(): Tunable[] {
    return [...this.#tunables.values()];
  }

  /** Replaces what can be tuned; false when it is the same as before. */
  declare(tunables: readonly Tunable[]): boolean {
    const before = JSON.stringify(this.tunables);
    this.#tunables = byTaskType(tunables);
    for (const [taskType, adoption] of this.#inForce) {
      if (this.#misfitOf({ taskType, ...adoption }) !== undefined) this.#inForce.delete(taskType);
    }
    return JSON.stringify(this.tunables) !== before;
  }

  /** A coordinator has accepted the agent. */
  joined(epoch: number): void {
    if (this.#epoch !== epoch) this.#inForce.clear();
    this.#epoch = epoch;
  }

  /** Takes a suggestion up, or says why not; then what was in force before still is. */
  take(suggestion: AdaptationSuggestion, nowMs: number): string | undefined {
    const misfit = this.#misfitOf(suggestion);
    if (misfit !== undefined) return misfit;
    const { taskType, from, to, canaryPercent, expiresInMs } = suggestion;
    this.#inForce.set(taskType, { from, to, canaryPercent, endsAtMs: nowMs + expiresInMs });
    return undefined;
  }

  /**
   * The arm for a task that starts now: the one that the coordinator chose for it, or that of the suggestion in force. A
   * task gets the same one at each attempt. Parts of a task that was split have to be computed alike, by agents that may
   * have heard different things, and so follow no suggestion.
   */
  armOf({ taskId, taskType, arm, shard }: AgentTask, nowMs: number): Arm | undefined {
    if (arm !== undefined || shard !== undefined || this.#inForce.size === 0) return arm;
    const adoption = this.#inForce.get(taskType);
    if (adoption === undefined) return undefined;
    if (nowMs >= adoption.endsAtMs) {
      this.#inForce.delete(taskType);
      return undefined;
    }
    return percentOf(taskId) < adoption.canaryPercent ? adoption.to : adoption.from;
  }

  #misfitOf({ taskType, from, to }: Pick<AdaptationSuggestion, 'taskType' | 'from' | 'to'>) {
    const tunable = this.#tunables.get(taskType);
    if (tunable === undefined) {
      return `This agent has no handler of ${taskType} with parameters that can be tuned.`;
    }
    const known = new Set(tunable.arms.map(armKeyOf));
    const stranger = [from, to].find((arm) => !known.has(armKeyOf(arm)));
    if (stranger === undefined) return undefined;
    const quoted = JSON.stringify(stranger).slice(0, QUOTED_LENGTH_MAX);
    return `${quoted} is none of the ${known.size} arms of ${taskType} on this agent.`;
  }
}

function byTaskType(tunables: readonly Tunable[]): ReadonlyMap<string, Tunable> {
  return new Map(tunables.map((tunable) => [tunable.taskType, tunable]));
}

/**
 * Where a task lies between 0 and 100: FNV-1a over its id, and the finaliser of MurmurHash3 behind it, without which ids that
 * differ at their end only would lie together.
 */
function percentOf(taskId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < taskId.length; i += 1) {
    hash = Math.imul(hash ^ taskId.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * 100;
}
