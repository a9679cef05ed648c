/**
 * Where a scan keeps what it works on: a record of 32-bit pointers and numbers in the module's memory, filled by
 * `src/wasm/scan-memory.ts`. The module exports all of these constants, so that nobody else writes them down.
 *
 * Arrays that say so are of 64-bit floats; the others, on which bounds are computed, of 32-bit floats, four to a vector.
 * Arrays have room for more than they hold, because loops take whole vectors and may read, or write and then ignore, values
 * beyond the end.
 */

/** The region of the series that a block covers, as it is (64-bit floats). */
export const RAW: usize = 0;
/** The same, shifted by `REFERENCE` and times `SCALE`, so that no magnitude is above 1; 0 where it is not usable. */
export const VALUES: usize = 4;
/** Prefix sums of these (64-bit floats), of their squares, and (32-bit integers) of how many are not usable. */
export const SUMS: usize = 8;
export const SQUARES: usize = 12;
export const UNUSABLE: usize = 16;
/** Of every window: its mean, and its standard deviation, both in the block's units. See windows.ts. */
export const MEANS: usize = 160;
export const DEVIATIONS: usize = 164;
/** The envelope of `VALUES` as centre ± reach. */
export const CENTRE: usize = 20;
export const REACH: usize = 24;
/** Room for the sliding extremes: the region with a band of padding at both ends. */
export const HIGH: usize = 28;
export const LOW: usize = 32;

/** The query as it is compared, normalised if that is wanted, forwards and backwards (64-bit floats). */
export const QUERY: usize = 36;
export const QUERY_BACKWARDS: usize = 40;
/** The same as bounds want it, and its envelope. */
export const ROUNDED_QUERY: usize = 44;
export const ROUNDED_QUERY_BACKWARDS: usize = 48;
export const QUERY_CENTRE: usize = 52;
export const QUERY_REACH: usize = 56;
/** The window in hand, exactly normalised if that is wanted (64-bit floats). */
export const WINDOW: usize = 60;
/** The same up to rounding, in the terms of the query. */
export const ROUNDED_WINDOW: usize = 64;
export const ROUNDED_WINDOW_BACKWARDS: usize = 68;
/** What the rows of the warping table from each one on cost at least. */
export const REMAINING: usize = 72;
/** Two neighbouring antidiagonals of the rounded warping table, and what keeps cells outside of the band out. */
export const OUTER: usize = 76;
export const INNER: usize = 80;
export const INNER_EDGE: usize = 84;
/** Three antidiagonals of the exact table (64-bit floats); the first also holds the row of an LCSS table. */
export const FIRST_DIAGONAL: usize = 88;
export const SECOND_DIAGONAL: usize = 92;
export const THIRD_DIAGONAL: usize = 96;

/** Points of the query, band in points, whether windows are normalised. */
export const LENGTH: usize = 100;
export const BAND: usize = 104;
export const NORMALISE: usize = 108;
/** The block: length of its region, index in the region where its first window starts. */
export const REGION_LENGTH: usize = 112;
export const OFFSET: usize = 116;
/** How many values of the region are not usable. */
export const UNUSABLE_COUNT: usize = 120;
/** Whether `CENTRE` and `REACH` are those of this block. */
export const TUBE_READY: usize = 124;
/** Behind the run of equal values of the region that was looked up last. */
export const RUN_END: usize = 128;

/** Counters of `PatternSearchStats`. */
export const PRUNED_KIM: usize = 132;
export const PRUNED_KEOGH_QUERY: usize = 136;
export const PRUNED_KEOGH_CANDIDATE: usize = 140;
export const DTW_COMPUTED: usize = 144;
export const DTW_ABANDONED: usize = 148;

/** Why the scan returned, and, when for a special window, its state. */
export const OUTCOME: usize = 152;
export const STATE: usize = 156;
/** Of a search by LCSS: how many points of the window that was returned are matched. */
export const MATCHED: usize = 168;

/** 64-bit floats: the squared distance of the window that was returned, and the largest magnitude of the block, shifted. */
export const SQUARED: usize = 176;
export const MAGNITUDE: usize = 184;
/** What the block's values were shifted by and multiplied with (64-bit floats). */
export const REFERENCE: usize = 192;
export const SCALE: usize = 200;
/** The terms in which the query is stated (64-bit floats), see `src/wasm/query-frame.ts`. */
export const QUERY_REFERENCE: usize = 208;
export const UNIT: usize = 216;
/**
 * How much a bound may be wrong by rounding (64-bit floats): so much in units of the query, so much more in units of the
 * block's values, and the factor for what is added up. `src/wasm/rounding.ts` derives them.
 */
export const QUERY_ERROR: usize = 224;
export const BLOCK_ERROR: usize = 232;
export const SUM_ERROR: usize = 240;
/** A window with less squared deviation than this (64-bit float) is looked at exactly. */
export const TRUSTED: usize = 248;

/** Room for all fields. */
export const RECORD_BYTES: usize = 256;

/**
 * Why a scan returned: nothing is left in the range; the window's squared distance is in `SQUARED`, or what matched in
 * `MATCHED`, and within the limit; the window is flat, not finite, or without trustworthy moments.
 */
export const FINISHED: i32 = 0;
export const WITHIN: i32 = 1;
export const SPECIAL: i32 = 2;

/** States of a special window, as `src/typescript/series-block.ts` explains them. */
export const FLAT: i32 = 1;
export const DIRECT: i32 = 2;
export const NON_FINITE: i32 = 3;
