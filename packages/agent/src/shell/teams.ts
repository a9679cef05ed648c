/**
 * The main thread's side of runs that let other threads help (team.ts): starts helpers where a thread has nothing else
 * to do, passes on what they say, and asks them to leave when tasks wait.
 */
import { UNKNOWN_SERVICE_TIME } from '../core/thread-batching.ts';
import { TeamMemory } from './team-memory.ts';
import type { Invitation, TeamMessage } from './thread-messages.ts';
import type { ThreadRun, ThreadRunOptions } from './thread-run.ts';

/** A helper that does not leave so long after it was asked to loses its thread. Between two looks a long pattern may take
 *  a second. */
const LEAVE_GRACE_MS = 30_000;

/** Makes the run of a helper. */
export type MakeHelper = (options: Omit<ThreadRunOptions, 'runId' | 'onAbort'>) => ThreadRun;

interface OpenTeam {
  readonly host: ThreadRun;
  readonly memory: TeamMemory;
  readonly invitation: Invitation;
  readonly helpers: Set<ThreadRun>;
  lastHelper: number;
}

/** All teams of one pool. */
export class Teams {
  readonly #makeHelper: MakeHelper;
  readonly #teams: Map<ThreadRun, OpenTeam> = new Map();
  /** Helpers that were asked to leave and have not left. */
  readonly #leaving: Set<ThreadRun> = new Set();

  constructor(makeHelper: MakeHelper) {
    this.#makeHelper = makeHelper;
  }

  /** A run asks for helpers. */
  open(host: ThreadRun, invitation: Invitation): void {
    const memory = new TeamMemory(invitation.memory);
    this.#teams.set(host, { host, memory, invitation, helpers: new Set(), lastHelper: 0 });
  }

  /** The run is over, however it ended: its helpers stop. */
  close(host: ThreadRun): void {
    const team = this.#teams.get(host);
    if (team === undefined) return;
    this.#teams.delete(host);
    team.memory.close();
    team.invitation.port.close();
  }

  closeAll(): void {
    for (const host of this.#teams.keys()) this.close(host);
  }

  /** A run for a thread that has nothing else to do: of the team with the fewest helpers. Undefined when nobody needs help. */
  nextHelper(): ThreadRun | undefined {
    let neediest: OpenTeam | undefined;
    for (const team of this.#teams.values()) {
      if (!team.memory.hasFreeParts) continue;
      if (neediest === undefined || team.helpers.size < neediest.helpers.size) neediest = team;
    }
    return neediest === undefined ? undefined : this.#helperOf(neediest);
  }

  /** So many tasks wait for a thread: as many helpers make room, as far as there are. */
  makeRoom(waiting: number): void {
    for (const { helpers } of this.#teams.values()) {
      for (const helper of helpers) {
        if (this.#leaving.size >= waiting) return;
        if (this.#leaving.has(helper)) continue;
        this.#leaving.add(helper);
        helper.abort(LEAVE_GRACE_MS);
      }
    }
  }

  #helperOf(team: OpenTeam): ThreadRun {
    team.lastHelper += 1;
    const helper = team.lastHelper;
    const { task } = team.host;
    const help = { memory: team.memory.buffer, helper };
    const left = (): void => {
      team.helpers.delete(run);
      this.#leaving.delete(run);
      tell(team, { type: 'left', helper });
    };
    const run = this.#makeHelper({
      task: { ...task, split: { ...task.split, scratch: team.invitation.scratch, help } },
      module: team.host.module,
      // It has its thread to itself, whatever tasks of its type take.
      serviceTime: UNKNOWN_SERVICE_TIME,
      listener: {
        onBegun: () => {},
        onTurnedOutLong: () => {},
        onProgress: () => {},
        onChunk: (payload) => {
          tell(team, { type: 'part', payload });
          return undefined;
        },
        onTakenBack: left,
        onEnded: left,
      },
    });
    team.helpers.add(run);
    return run;
  }
}

function tell({ invitation }: OpenTeam, message: TeamMessage): void {
  invitation.port.postMessage(message);
}
