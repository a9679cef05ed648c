/** A recording played again decides the same, and tells what happened. */
import { describe, expect, it } from 'vitest';
import { CoordinatorCore } from '../src/core/coordinator.ts';
import type { CoordinatorEvent } from '../src/core/events.ts';
import {
  RECORDING_FORMAT,
  decodeEntry,
  encodeEntry,
  settlingOf,
  type RecordingEntry,
} from '../src/core/recording.ts';
import { Replay } from '../src/core/replay.ts';
import { CoreHarness, taskIdOf } from './core-harness.ts';

/** Records what a harness does, as the shell does it: before the core sees it, and as bytes. */
function recorded(act: (swarm: CoreHarness) => void): RecordingEntry[] {
  const swarm = CoreHarness.durable();
  const entries: Uint8Array[] = [];
  const { core } = swarm;
  const { options } = core.state;
  entries.push(encodeEntry({ kind: 'start', format: RECORDING_FORMAT, software: 'test', options }));
  core.handle = (event: CoordinatorEvent, nowMs: number) => {
    entries.push(encodeEntry({ kind: 'event', atMs: nowMs, event }));
    const effects = CoordinatorCore.prototype.handle.call(core, event, nowMs);
    entries.push(encodeEntry(settlingOf(effects)));
    return effects;
  };
  act(swarm);
  return entries.map(decodeEntry);
}

function aDay(swarm: CoreHarness): void {
  const client = swarm.client('researcher');
  const agents = ['a1', 'a2', 'a3'].map((id) => swarm.agent(id));
  for (let n = 1; n <= 20; n++) client.submit(n, { durable: n % 2 === 0, watch: 'all' });
  swarm.sync();
  for (const agent of agents) {
    for (const task of agent.takeTasks()) {
      if (task.taskId === taskIdOf(3)) agent.fail(task, 'FLAKY', true);
      else agent.complete(task, { payload: new Uint8Array([1, 2]) });
    }
  }
  agents[0]?.vanish();
  swarm.advance(5000, () => agents[1]?.heartbeat());
}

function played(entries: readonly RecordingEntry[]) {
  const replay = new Replay();
  const lines = entries.flatMap((entry) => [...replay.play(entry)]);
  return { replay, lines };
}

describe('a recording', () => {
  it('decides the same when it is played again', () => {
    const entries = recorded(aDay);
    const { replay } = played(entries);
    expect(replay.counts.events).toBeGreaterThan(40);
    expect(replay.counts.differences).toBe(0);
    expect(replay.core?.state.tasks.get(taskIdOf(2))?.state).toBe('succeeded');
  });

  it('tells the story of a task', () => {
    const story = played(recorded(aDay)).lines.filter(({ taskIds }) =>
      taskIds.includes(taskIdOf(3)),
    );
    const texts = story.map(({ text }) => text.replaceAll(taskIdOf(3), 't3'));
    expect(texts.slice(0, 2)).toEqual([
      'researcher → coordinator: SubmitTask t3 PatternMatch',
      't3 is accepted',
    ]);
    expect(texts).toContainEqual(
      expect.stringMatching(/^attempt 1 of t3 at a\d: failed \(FLAKY\)$/),
    );
  });

  it('is seen to be another one when anything in it is', () => {
    const entries = recorded(aDay);
    const changed = entries.map((entry): RecordingEntry => {
      if (entry.kind !== 'event' || entry.event.type !== 'MessageReceived') return entry;
      const { message } = entry.event;
      if (message.type !== 'TaskCompletion' || message.body.outcome !== 'failed') return entry;
      const body = { ...message.body, outcome: 'succeeded' as const };
      return { ...entry, event: { ...entry.event, message: { type: 'TaskCompletion', body } } };
    });
    expect(played(changed).replay.counts.differences).toBeGreaterThan(0);
  });

  it('is refused when it is none, or of another format', () => {
    const [start, ...rest] = recorded(aDay);
    expect(() => played(rest)).toThrow('no recording');
    const newer = { ...(start as object), format: 99 } as RecordingEntry;
    expect(() => played([newer])).toThrow('format 99');
  });
});
