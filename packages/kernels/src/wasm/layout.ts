/**
 * What a scan's record looks like, as the module itself exports it: assembly/layout.ts is the only place where the numbers
 * are written, and says what each means.
 */
import { KernelError } from '../problem.ts';

/** The constants that are used on this side. */
const NAMES = [
  'RAW',
  'VALUES',
  'SUMS',
  'SQUARES',
  'UNUSABLE',
  'MEANS',
  'DEVIATIONS',
  'CENTRE',
  'REACH',
  'HIGH',
  'LOW',
  'QUERY',
  'QUERY_BACKWARDS',
  'ROUNDED_QUERY',
  'ROUNDED_QUERY_BACKWARDS',
  'QUERY_CENTRE',
  'QUERY_REACH',
  'WINDOW',
  'ROUNDED_WINDOW',
  'ROUNDED_WINDOW_BACKWARDS',
  'REMAINING',
  'OUTER',
  'INNER',
  'INNER_EDGE',
  'FIRST_DIAGONAL',
  'SECOND_DIAGONAL',
  'THIRD_DIAGONAL',
  'LENGTH',
  'BAND',
  'NORMALISE',
  'REGION_LENGTH',
  'OFFSET',
  'PRUNED_KIM',
  'PRUNED_KEOGH_QUERY',
  'PRUNED_KEOGH_CANDIDATE',
  'DTW_COMPUTED',
  'DTW_ABANDONED',
  'OUTCOME',
  'STATE',
  'MATCHED',
  'SQUARED',
  'MAGNITUDE',
  'QUERY_REFERENCE',
  'UNIT',
  'QUERY_ERROR',
  'BLOCK_ERROR',
  'SUM_ERROR',
  'RECORD_BYTES',
  'WITHIN',
  'FLAT',
  'NON_FINITE',
] as const;

/** The constants by name: addresses in bytes from the beginning of the record, and words that both sides share. */
export type ScanLayout = Readonly<Record<(typeof NAMES)[number], number>>;

/** Reads the layout from a module's exports. @throws KernelError WASM_UNAVAILABLE when the module is of another release */
export function layoutOf(exports: WebAssembly.Instance['exports']): ScanLayout {
  const entries = NAMES.map((name) => {
    const exported = exports[name];
    if (exported instanceof WebAssembly.Global) return [name, Number(exported.value)] as const;
    throw new KernelError(
      'WASM_UNAVAILABLE',
      `The WebAssembly module does not say where ${name} is, so that it is of another release.`,
      'Use the kernels.wasm of this package.',
    );
  });
  return Object.fromEntries(entries) as ScanLayout;
}
