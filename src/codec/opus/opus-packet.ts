/** Longest packet, in microseconds (RFC 6716 §3.4, R5). */
export const MAX_OPUS_PACKET_US = 120_000;

/** Frame durations in microseconds of one group of four configurations (RFC 6716 Table 2). */
const SILK = [10_000, 20_000, 40_000, 60_000];
const HYBRID = [10_000, 20_000, 10_000, 20_000];
const CELT = [2_500, 5_000, 10_000, 20_000];
const FRAME_US: readonly number[] = [SILK, SILK, SILK, HYBRID, CELT, CELT, CELT, CELT].flat();

/** Duration of a packet in microseconds from its first two bytes (RFC 6716 §3.1); `undefined` for a malformed one. */
export function opusPacketDurationUs(packet: Uint8Array): number | undefined {
  const toc = packet[0];
  if (toc === undefined) return undefined;
  const code = toc & 3;
  const second = packet[1];
  if (code === 3 && second === undefined) return undefined;
  const frames = code === 0 ? 1 : code < 3 ? 2 : (second ?? 0) & 0x3f;
  const durationUs = frames * FRAME_US[toc >>> 3]!;
  return durationUs === 0 || durationUs > MAX_OPUS_PACKET_US ? undefined : durationUs;
}

/** Whether the packet codes two channels (RFC 6716 §3.1, the s bit). */
export function isOpusPacketStereo(packet: Uint8Array): boolean {
  return ((packet[0] ?? 0) & 4) !== 0;
}
