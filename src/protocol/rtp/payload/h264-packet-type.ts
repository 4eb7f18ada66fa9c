/** Types of RTP payloads that are not a NAL unit as it is (RFC 6184 Table 1). */
export const H264_PACKET = {
  stapA: 24,
  stapB: 25,
  mtap16: 26,
  mtap24: 27,
  fuA: 28,
  fuB: 29,
} as const;

/** The type in the first byte of a NAL unit or of a payload. */
export const NAL_TYPE_MASK = 0x1f;

/** Whether a first byte is that of a NAL unit, and not one of the types packets use or nothing uses. */
export function isH264NalUnit(head: number): boolean {
  const type = head & NAL_TYPE_MASK;
  return type > 0 && type < H264_PACKET.stapA;
}
