/** Plays a recording into a core of its own, and tells in words what happened. */
import { SwarmError, describeMessage, isRoutine, type NameTask } from '@quic-swarm/protocol';
import { CoordinatorCore } from './coordinator.ts';
import type { CoordinatorEffect } from './effects.ts';
import type { CoordinatorEvent } from './events.ts';
import { RECORDING_FORMAT, settlingOf, type RecordingEntry } from './recording.ts';

/** One thing that happened or was decided. */
export interface StoryLine {
  /** Since the first event of the recording. */
  readonly atMs: number;
  readonly text: string;
  /** Tasks that it is about. */
  readonly taskIds: readonly string[];
  /** It happens all the time and says little, as a heartbeat. */
  readonly isRoutine: boolean;
}

/** See the head of this file. */
export class Replay {
  readonly #nameOf: NameTask;
  readonly #names = new Map<string, string>();
  #core: CoordinatorCore | undefined;
  #firstMs: number | undefined;
  #atMs = 0;
  #events = 0;
  #settlings = 0;
  #differences = 0;

  /** @param nameOf how the story calls tasks */
  constructor(nameOf: NameTask = (taskId) => taskId) {
    this.#nameOf = nameOf;
  }

  /** The core in the state of the last entry; undefined before the first. */
  get core(): CoordinatorCore | undefined {
    return this.#core;
  }

  /** Time of the last event, since the first one. */
  get atMs(): number {
    return this.#atMs;
  }

  /** A time of the recording, since its first event. */
  sinceStart(atMs: number): number {
    return atMs - (this.#firstMs ?? atMs);
  }

  /** What was played, and how many times the effects were not those of the recording: never, or there is a bug. */
  get counts(): {
    readonly events: number;
    readonly settlings: number;
    readonly differences: number;
  } {
    return { events: this.#events, settlings: this.#settlings, differences: this.#differences };
  }

  /** Plays one entry; returns what is to be told of it. @throws BAD_INPUT where the recording is none */
  play(entry: RecordingEntry): readonly StoryLine[] {
    if (entry.kind === 'start') {
      this.#begin(entry);
      return [];
    }
    const core = this.#core;
    if (core === undefined) throw notARecording('It does not begin with the options of its core.');
    if (entry.kind === 'event') {
      this.#firstMs ??= entry.atMs;
      this.#atMs = this.sinceStart(entry.atMs);
      this.#events += 1;
      core.take(entry.event, entry.atMs);
      return this.#linesOfEvent(entry.event);
    }
    const effects = core.settle();
    const { effects: count, checksum } = settlingOf(effects);
    this.#settlings += 1;
    if (count !== entry.effects || checksum !== entry.checksum) this.#differences += 1;
    return effects.flatMap((effect) => this.#linesOfEffect(effect));
  }

  #begin({ format, options }: Extract<RecordingEntry, { kind: 'start' }>): void {
    if (format !== RECORDING_FORMAT) {
      throw notARecording(
        `It has format ${format}, this release plays format ${RECORDING_FORMAT}.`,
      );
    }
    if (this.#core !== undefined) throw notARecording('It begins twice.');
    this.#core = new CoordinatorCore(options);
  }

  #linesOfEvent(event: CoordinatorEvent): StoryLine[] {
    switch (event.type) {
      case 'AgentJoined': {
        this.#names.set(event.connectionId, event.handshake.agentId);
        const message = { type: 'AgentHandshake', body: event.handshake } as const;
        return [this.#said(event.handshake.agentId, 'coordinator', message)];
      }
      case 'ClientJoined':
        this.#names.set(event.connectionId, event.handshake.clientName);
        return [this.#line(`${event.handshake.clientName} joins`, event)];
      case 'MessageReceived':
        return [this.#said(this.#peer(event.connectionId), 'coordinator', event.message)];
      case 'ConnectionEnded':
        return [this.#line(`${this.#peer(event.connectionId)} is gone: ${event.reason}`, event)];
      case 'JournalReplayed':
        return [this.#line(`${event.records.length} records of earlier lives are read`, event)];
      case 'BankRestored':
        return [this.#line('what earlier lives have learnt is read', {})];
      case 'BankImported':
        return [this.#line('what another bank has learnt is taken in', {})];
      case 'JournalFailed':
        return [this.#line(`the disk has failed: ${event.failure.message}`, event)];
      case 'TimePassed':
        return [];
      default:
        return [this.#line(event.type, event, event.type !== 'DrainRequested')];
    }
  }

  #linesOfEffect(effect: CoordinatorEffect): StoryLine[] {
    switch (effect.type) {
      case 'Send':
        return [this.#said('coordinator', this.#peer(effect.connectionId), effect.message)];
      case 'Close':
        return [this.#line(`coordinator closes ${this.#peer(effect.connectionId)}`, effect)];
      case 'AgentChanged':
        return [this.#line(`${effect.agentId} ${effect.change}: ${effect.reason}`, effect)];
      case 'TaskAccepted':
        return [this.#line(`${this.#nameOf(effect.taskId)} is accepted`, effect)];
      case 'AttemptEnded': {
        const { taskId, attempt, agentId, outcome, failure } = effect;
        const why = failure === undefined ? '' : ` (${failure.type})`;
        const text = `attempt ${attempt} of ${this.#nameOf(taskId)} at ${agentId}: ${outcome}${why}`;
        return [this.#line(text, effect)];
      }
      case 'TaskEnded': {
        const { taskId, state, failure } = effect;
        const why = failure === undefined ? '' : `: ${failure.message}`;
        return [this.#line(`${this.#nameOf(taskId)} has ended, ${state}${why}`, effect)];
      }
      case 'ArmSuggested': {
        const { taskType, toArmId, canaryPercent, explanation } = effect;
        return [
          this.#line(`${taskType}: ${toArmId} on ${canaryPercent} %: ${explanation}`, effect),
        ];
      }
      case 'AppendJournal':
        return [this.#line(`to the disk: ${effect.record.kind}`, effect.record, true)];
      default:
        return [];
    }
  }

  #said(from: string, to: string, message: Parameters<typeof describeMessage>[0]): StoryLine {
    const text = `${from} → ${to}: ${describeMessage(message, this.#nameOf)}`;
    return this.#line(text, message.body, isRoutine(message));
  }

  #line(text: string, about: object, isRoutine = false): StoryLine {
    return { atMs: this.#atMs, text, taskIds: taskIdsIn(about), isRoutine };
  }

  #peer(connectionId: string): string {
    return this.#names.get(connectionId) ?? 'somebody unknown';
  }
}

/** The tasks that something names, by its own fields, its lease or its leases. */
function taskIdsIn(about: object): string[] {
  const { taskId, lease, leases, heldLeases, shard, submission } = about as {
    taskId?: string;
    lease?: { taskId?: string };
    leases?: readonly { taskId: string }[];
    heldLeases?: readonly { taskId: string }[];
    shard?: { of?: string };
    submission?: { taskId: string };
  };
  const all = [taskId, lease?.taskId, shard?.of, submission?.taskId];
  for (const each of [...(leases ?? []), ...(heldLeases ?? [])]) all.push(each.taskId);
  return all.filter((id) => id !== undefined);
}

function notARecording(why: string): SwarmError {
  return new SwarmError('BAD_INPUT', `This is no recording of a coordinator. ${why}`, {
    hint: 'Make one with: coordinator ADDR --record FILE.',
  });
}
