import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { OutcomeWindows } from '../../src/evidence/outcome-windows.ts';

it('a window is claimed exactly when no step of it is claimed, in any order of claims', () => {
  const aWindow = fc.record({
    seriesId: fc.constantFrom('spx', 'dax'),
    start: fc.integer({ min: 0, max: 40 }),
    length: fc.integer({ min: 1, max: 6 }),
  });
  fc.assert(
    fc.property(fc.array(aWindow, { maxLength: 30 }), (drawn) => {
      const windows = new OutcomeWindows();
      const steps = new Set<string>();
      for (const { seriesId, start, length } of drawn) {
        const own = Array.from({ length }, (_, index) => `${seriesId} ${start + 1 + index}`);
        const free = own.every((step) => !steps.has(step));
        expect(windows.claim(seriesId, start, start + length)).toBe(free);
        if (free) own.forEach((step) => steps.add(step));
      }
    }),
  );
});
