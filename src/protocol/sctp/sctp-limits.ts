/** What one association may hold and take, beside the options. Everything a peer controls ends at one of these. */

/** Highest number of streams a side can have (RFC 9260 §3.3.2); WebRTC uses ids 0 to 65,534 (RFC 8831 §6.6). */
export const MAX_STREAMS = 65_535;

/** Ranges of TSNs received beyond a gap that are remembered; a chunk that would start one more is dropped. */
export const MAX_GAP_RANGES = 2048;

/** How far beyond the cumulative TSN a chunk is taken: gap blocks reach no further (RFC 9260 §3.3.4). */
export const MAX_TSN_AHEAD = 65_535;

/** Duplicate TSNs reported in one SACK. */
export const MAX_DUPLICATES_REPORTED = 16;

/**
 * What a held chunk counts beside its payload: what one costs here in objects (330 to 660 bytes of a 1-byte message, by how
 * it is held), so that tiny fragments cost no more than the window says.
 */
export const HELD_CHUNK_OVERHEAD_BYTES = 512;

/** Unknown chunks of one packet and unknown parameters of one INIT that are reported back. */
export const MAX_REPORTED_UNKNOWN = 8;

/** Longest unknown chunk, unknown parameters together, and longest heartbeat that is sent back. */
export const MAX_ECHOED_BYTES = 256;

/** Longest state cookie of a peer that is echoed. */
export const MAX_COOKIE_BYTES = 1024;

/** Longest text of an ABORT that is read, bytes. */
export const MAX_ABORT_REASON_BYTES = 256;

/** Highest congestion window, bytes: above what a send buffer fills on any path data channels are used on. */
export const MAX_CONGESTION_WINDOW_BYTES = 16_777_216;

/**
 * Messages that may wait to be cut into chunks, besides the limit of their bytes: each takes 150 bytes and more, however
 * short it is.
 */
export const MAX_QUEUED_MESSAGES = 32_768;

/** Streams named in one request to reset; more are asked for in a following one. */
export const MAX_STREAMS_PER_RESET = 256;

/** Times a cookie found stale is asked for again. */
export const MAX_STALE_COOKIES = 3;
