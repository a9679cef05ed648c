/**
 * Every bound of the protocol with its reason. A peer that exceeds one is answered with a typed error, and where
 * the stream can no longer be understood the connection is closed with that error's code.
 */

/** Longest frame before the peer's handshake was accepted: a handshake is about 1 KiB, so 64 KiB cannot be needed. */
export const UNAUTHENTICATED_FRAME_BYTES_MAX: number = 64 * 1024;

/** Longest control frame: bounds what one frame can make the receiver allocate and how long it holds the event loop. */
export const CONTROL_FRAME_BYTES_MAX: number = 1024 * 1024;

/** Longest frame of a message that carries numbers (see `TENSOR_MESSAGES`): two million 64-bit values. */
export const TENSOR_FRAME_BYTES_MAX: number = 16 * 1024 * 1024;

/** Payloads up to here travel inside their message; longer ones follow it as PayloadChunk frames on a stream of
 *  their own, so that they never stand in front of small messages. */
export const INLINE_PAYLOAD_BYTES_MAX: number = 64 * 1024;

/** Bytes in one PayloadChunk: large enough that framing costs nothing, small enough that chunks of several streams
 *  take turns. */
export const PAYLOAD_CHUNK_BYTES: number = 256 * 1024;

/** Shorter payloads are never encoded: a packet more or less is all that it could save. */
export const ENCODED_PAYLOAD_BYTES_MIN: number = 1024;

/** No payload decodes to more than so many times its length: the most that DEFLATE (RFC 1951) can say in a byte, so a
 *  larger claim is a lie and is known as one before anything is decoded. */
export const DECODED_RATIO_MAX: number = 1032;

/** Default bound of one task's input or result. A coordinator may grant another one in its acknowledgement. */
export const PAYLOAD_BYTES_MAX: number = 256 * 1024 * 1024;

/** Default bound of one data set: what an agent must be able to keep in shared memory beside others. */
export const DATASET_BYTES_MAX: number = 1024 * 1024 * 1024;

/** Nesting of arrays, maps and tags in one CBOR item: our messages nest six deep. */
export const CBOR_DEPTH_MAX = 32;

/** Items (map keys and values counted singly) in one CBOR body: an array of 2-byte items could otherwise grow to
 *  many times its frame when decoded. Numbers in bulk travel as typed arrays, which count as one item. */
export const CBOR_ITEMS_MAX = 65_536;

/** The same for a document in a payload, which the coordinator passes on without decoding: its maker and its reader
 *  trust each other more, and users do send lists of objects. */
export const DOCUMENT_ITEMS_MAX = 1_048_576;

/** Longest text field that a person writes (names, reasons, error messages). */
export const TEXT_LENGTH_MAX = 4096;

/** Longest stack trace that travels. */
export const STACK_LENGTH_MAX = 16_384;

/** Entries of lists and maps in an envelope: capabilities, labels, held leases, data sets of a task. */
export const ENVELOPE_ENTRIES_MAX = 4096;

/** Rows of a status view in one report: 1,000 rows of 500 bytes stay under a control frame. */
export const STATUS_ROWS_MAX = 1000;

/** Arms that a handler may declare: more would take longer to tell apart than anybody waits. */
export const TUNABLE_ARMS_MAX = 64;

/** Shards of one task: more than a large swarm has threads, and their records still cost little. */
export const SHARDS_MAX = 1024;
