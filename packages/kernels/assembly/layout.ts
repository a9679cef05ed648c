/**
 * Where a scan keeps what it works on: a record of 32-bit pointers and numbers in the module's memory, filled by
 * `src/wasm/scan-memory.ts`. All arrays are of 64-bit floats unless said otherwise, and have room for one vector more than
 * they hold, because loops take two values at a time and may read, or write and then ignore, one too many.
 */

/** The region of the series that a block covers, as it is. */
export const RAW: usize = 0;
/** The same, shifted by its first usable value; 0 where it is not usable. */
export const VALUES: usize = 4;
/** Prefix sums of `VALUES`, of their squares, and (32-bit integers) of how many are not usable. */
export const SUMS: usize = 8;
export const SQUARES: usize = 12;
export const UNUSABLE: usize = 16;
/** Per position: mean in the shifted frame, 1 / standard deviation, and (bytes) the state of the window. */
export const MEANS: usize = 20;
export const INVERSES: usize = 24;
export const STATES: usize = 28;
/** The envelope of `VALUES` as centre ± reach. */
export const CENTRE: usize = 32;
export const REACH: usize = 36;
/** Room for the sliding extremes: the region with a band of padding at both ends. */
export const HIGH: usize = 40;
export const LOW: usize = 44;
/** The query, normalised, and its envelope. */
export const QUERY: usize = 48;
export const QUERY_CENTRE: usize = 52;
export const QUERY_REACH: usize = 56;
/** The window in hand, exactly normalised; what its rows still cost at least; two rows of the warping table. */
export const WINDOW: usize = 60;
export const REMAINING: usize = 64;
export const ROW_A: usize = 68;
export const ROW_B: usize = 72;
/** Points of the query, band in points, whether windows are normalised. */
export const LENGTH: usize = 76;
export const BAND: usize = 80;
export const NORMALISE: usize = 84;
/** The block: length of its region, index in the region where its first window starts. */
export const REGION_LENGTH: usize = 88;
export const OFFSET: usize = 92;
/** Whether `CENTRE` and `REACH` are those of this block. */
export const TUBE_READY: usize = 96;
/** Counters of `PatternSearchStats`. */
export const PRUNED_KIM: usize = 100;
export const PRUNED_KEOGH_QUERY: usize = 104;
export const PRUNED_KEOGH_CANDIDATE: usize = 108;
export const DTW_COMPUTED: usize = 112;
export const DTW_ABANDONED: usize = 116;
/** Why `scanWindows` returned: see there. */
export const OUTCOME: usize = 120;
/** 64-bit floats: the squared distance of the window that it returned, and the largest of `VALUES`. */
export const SQUARED: usize = 128;
export const MAGNITUDE: usize = 136;

/** States of a window; the same numbers as in `src/series-block.ts`. */
export const USABLE: u8 = 0;
export const FLAT: u8 = 1;
export const DIRECT: u8 = 2;
export const NON_FINITE: u8 = 3;

export function pointer(scan: usize, field: usize): usize {
  return <usize>load<u32>(scan + field);
}

export function number(scan: usize, field: usize): i32 {
  return load<i32>(scan + field);
}

export function count(scan: usize, field: usize): void {
  store<i32>(scan + field, load<i32>(scan + field) + 1);
}
