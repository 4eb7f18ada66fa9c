/** Types of RTP payloads that are not a NAL unit as it is (RFC 7798 §4.2). */
export const H265_PACKET = {
  aggregation: 48,
  fragmentation: 49,
  paci: 50,
} as const;

/** Bytes of a NAL unit header, and of the payload header that looks like one. */
export const NAL_HEADER_BYTES = 2;

/** `nal_unit_type` in the first byte of a NAL unit or of a payload. */
export function h265TypeOf(head: number): number {
  return (head >>> 1) & 0x3f;
}

/** Whether this is a NAL unit by its first byte and size, and not one of the types packets use. */
export function isH265NalUnit(head: number, sizeBytes: number): boolean {
  const type = h265TypeOf(head);
  return sizeBytes >= NAL_HEADER_BYTES && (type < H265_PACKET.aggregation || type > H265_PACKET.paci);
}
