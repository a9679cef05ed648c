/**
 * Where a scan keeps what it works on: a record of 32-bit pointers and numbers in the module's memory, filled by
 * `src/wasm/scan-memory.ts`. The module exports all of these constants, so that nobody else writes them down. All arrays are of 64-bit floats unless said otherwise, and have room for one vector more than
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
/**
 * Per pair of positions six values: the means in the shifted frame of both, 1 / standard deviation of both, and squared
 * LB_Kim of both (−Infinity where it does not apply). Three arrays would be written at addresses that differ by multiples
 * of 4,096 from those that are read, which makes processors wait for each other's stores: three times slower for some
 * lengths.
 */
export const JUDGED: usize = 20;
/** Per position (bytes): the state of the window. */
export const STATES: usize = 24;
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
/** The window in hand, exactly normalised, and what its rows, or those of the query, still cost at least. */
export const WINDOW: usize = 60;
export const REMAINING: usize = 64;
/** Three antidiagonals of the warping table; the first also holds the row of an LCSS table. */
export const FIRST_DIAGONAL: usize = 68;
export const SECOND_DIAGONAL: usize = 72;
export const THIRD_DIAGONAL: usize = 28;
/** The query and the window in hand, backwards. */
export const QUERY_BACKWARDS: usize = 144;
export const WINDOW_BACKWARDS: usize = 148;
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
/** Why `scanWindows` returned. */
export const OUTCOME: usize = 120;
/** 64-bit floats: the squared distance of the window that it returned, and the largest of `VALUES`. */
export const SQUARED: usize = 128;
export const MAGNITUDE: usize = 136;

/** Behind the run of equal values of the region that was looked up last. */
export const RUN_END: usize = 124;

/** Where in `JUDGED` the values of a position are: its mean, and so many bytes behind it the others. */
export const INVERSE_BEHIND: usize = 16;
export const KIM_BEHIND: usize = 32;
export const PAIR_BYTES: usize = 48;

/**
 * Why `scanWindows` returned: nothing is left in the range; the window's squared distance is in `SQUARED`, and within the
 * limit; the window is flat, not finite, or without trustworthy moments.
 */
export const FINISHED: i32 = 0;
export const WITHIN: i32 = 1;
export const SPECIAL: i32 = 2;

/** Of a search by LCSS: how many points of the window that was returned are matched. */
export const MATCHED: usize = 152;

/** Room for all fields. */
export const RECORD_BYTES: usize = 160;

/** States of a window, as `src/typescript/series-block.ts` explains them. */
export const USABLE: u8 = 0;
export const FLAT: u8 = 1;
export const DIRECT: u8 = 2;
export const NON_FINITE: u8 = 3;
