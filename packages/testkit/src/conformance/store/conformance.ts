/**
 * What every store must do, wherever it keeps things. Run it over each implementation: code above the contract may rely on
 * exactly this.
 */
import { afterEach, beforeEach, describe } from 'vitest';
import { describeClosing } from './closing.ts';
import { describeDamage } from './damage.ts';
import { describeJournal } from './journal.ts';
import { describeKeyValues } from './key-values.ts';
import { describeSnapshots } from './snapshots.ts';
import type { StoreWorkbench } from './workbench.ts';

/**
 * Defines the suite for one store. `makeWorkbench` is called once per test; of every record each `damageStepBytes`th byte
 * (default 1) is changed to see that it is noticed.
 */
export function describeStoreConformance(
  name: string,
  makeWorkbench: () => StoreWorkbench | Promise<StoreWorkbench>,
  options: { readonly damageStepBytes?: number } = {},
): void {
  describe(`store conformance: ${name}`, () => {
    let workbench: StoreWorkbench;

    beforeEach(async () => {
      workbench = await makeWorkbench();
    });

    afterEach(async () => {
      await workbench[Symbol.asyncDispose]();
    });

    const source = (): StoreWorkbench => workbench;
    describe('journal', () => {
      describeJournal(source);
    });
    describe('key-value state', () => {
      describeKeyValues(source);
    });
    describe('snapshots', () => {
      describeSnapshots(source);
    });
    describe('closing', () => {
      describeClosing(source);
    });
    describe('damage', () => {
      describeDamage(source, options.damageStepBytes ?? 1);
    });
  });
}
