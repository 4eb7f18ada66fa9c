/** Chunk types (RFC 9260 §3.2, RFC 3758 §3.2, RFC 6525 §3.1, RFC 8260 §2). */
export const CHUNK_TYPE = {
  data: 0,
  init: 1,
  initAck: 2,
  sack: 3,
  heartbeat: 4,
  heartbeatAck: 5,
  abort: 6,
  shutdown: 7,
  shutdownAck: 8,
  error: 9,
  cookieEcho: 10,
  cookieAck: 11,
  shutdownComplete: 14,
  iData: 0x40,
  reConfig: 0x82,
  pad: 0x84,
  forwardTsn: 0xc0,
  iForwardTsn: 0xc2,
} as const;

/** Flags of DATA and I-DATA (RFC 9260 §3.3.1, RFC 7053, RFC 8260 §2.1). */
export const DATA_FLAG = {
  /** E: last fragment of its message. */
  end: 0x01,
  /** B: first fragment of its message. */
  begin: 0x02,
  /** U: unordered. */
  unordered: 0x04,
  /** I: the sender wants a SACK at once. */
  immediate: 0x08,
} as const;

/** T: the verification tag is the sender's own, reflected (ABORT, SHUTDOWN COMPLETE; RFC 9260 §8.5.1). */
export const FLAG_TAG_REFLECTED = 0x01;

/** What to do with an unknown chunk or parameter: the upper two bits of its type (RFC 9260 §3.2, §3.2.1). */
export function unknownTypeRule(upperByte: number): { readonly isStop: boolean; readonly isReported: boolean } {
  return { isStop: (upperByte & 0x80) === 0, isReported: (upperByte & 0x40) !== 0 };
}
