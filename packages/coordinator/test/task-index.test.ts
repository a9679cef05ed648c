import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TaskIndex } from '../src/core/task-index.ts';
import type { Task } from '../src/core/task.ts';
import { taskIdOf } from './core-harness.ts';

/** The index looks at no more of a task than this. */
function taskWith(taskId: string): Task {
  return { taskId, idHash: 0 } as Task;
}

describe('the index of tasks', () => {
  it('knows exactly what a Map would, however it grows and shrinks', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.array(fc.tuple(fc.boolean(), fc.nat(2000), fc.integer({ min: 1, max: 3000 })), {
          maxLength: 12,
        }),
        (seed, steps) => {
          const index = new TaskIndex(seed);
          const map = new Map<string, Task>();
          const wrong: string[] = [];
          for (const [adds, from, count] of steps) {
            for (let n = from; n < from + count; n++) {
              const known = map.get(taskIdOf(n));
              if (index.get(taskIdOf(n)) !== known) wrong.push(taskIdOf(n));
              if (adds && known === undefined) {
                const task = taskWith(taskIdOf(n));
                index.add(task);
                map.set(task.taskId, task);
              } else if (!adds && known !== undefined) {
                index.delete(known);
                map.delete(known.taskId);
              }
            }
            expect(index.size).toBe(map.size);
            const listed = new Set(index.values());
            for (const task of map.values()) if (!listed.has(task)) wrong.push(task.taskId);
            expect(listed.size).toBe(map.size);
            for (const [taskId, task] of map) if (index.get(taskId) !== task) wrong.push(taskId);
          }
          expect(wrong).toEqual([]);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('tells apart ids that differ in one character, wherever it is', () => {
    const index = new TaskIndex(1);
    const ids = [taskIdOf(0)];
    for (let at = 0; at < 36; at++) {
      if (taskIdOf(0)[at] === '-') continue;
      ids.push(`${taskIdOf(0).slice(0, at)}f${taskIdOf(0).slice(at + 1)}`);
    }
    for (const taskId of ids) index.add(taskWith(taskId));
    for (const taskId of ids) expect(index.get(taskId)?.taskId).toBe(taskId);
    expect(index.get(taskIdOf(1))).toBeUndefined();
    expect(index.get('')).toBeUndefined();
  });

  it('does not give away a task that it does not know', () => {
    const index = new TaskIndex(1);
    expect(() => index.delete(taskWith(taskIdOf(1)))).toThrow('is not known');
  });
});
