/** How much one call may carry. The bounds keep one call from stopping all others for long. */

/** Bytes of all payloads of one append. */
export const APPEND_BYTES_MAX: number = 64 * 1024 * 1024;
/** Bytes of one value. */
export const VALUE_BYTES_MAX: number = 1024 * 1024;
/** Bytes of a key as UTF-8. */
export const KEY_BYTES_MAX: number = 512;
/** Bytes of one piece of a snapshot. */
export const PIECE_BYTES_MAX: number = 16 * 1024 * 1024;
/** Bytes that are made durable by one synchronisation, unless a single call has more. Larger groups are hardly faster and
 *  let those wait that come in the meantime. */
export const GROUP_BYTES_MAX: number = 1024 * 1024;
