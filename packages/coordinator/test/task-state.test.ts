import { TASK_STATES, isTerminal } from '@quic-swarm/protocol';
import { describe, expect, it } from 'vitest';
import { LEGAL_TRANSITIONS, moveTo } from '../src/core/task-state.ts';

describe('the table of legal transitions', () => {
  it('is what moveTo obeys, for every pair of states', () => {
    for (const from of TASK_STATES) {
      for (const to of TASK_STATES) {
        const task = { taskId: 't', state: from };
        const legal = LEGAL_TRANSITIONS[from].includes(to);
        if (legal) {
          moveTo(task, to);
          expect(task.state).toBe(to);
        } else {
          expect(() => moveTo(task, to), `${from} → ${to}`).toThrow(/moved from/);
          expect(task.state).toBe(from);
        }
      }
    }
  });

  it('lets nothing leave a final state and everything else reach one', () => {
    for (const state of TASK_STATES) {
      if (isTerminal(state)) expect(LEGAL_TRANSITIONS[state]).toEqual([]);
      else expect(LEGAL_TRANSITIONS[state].some(isTerminal)).toBe(true);
    }
  });

  it('reaches every state from waiting', () => {
    const reached = new Set<string>(['waiting']);
    for (const state of reached) {
      for (const next of LEGAL_TRANSITIONS[state as keyof typeof LEGAL_TRANSITIONS])
        reached.add(next);
    }
    expect([...reached].sort()).toEqual([...TASK_STATES].sort());
  });
});
