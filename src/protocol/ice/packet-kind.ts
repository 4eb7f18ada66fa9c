/** What a datagram is that came to a port all protocols of a session share (RFC 7983, RFC 5761). */
export type PacketKind = 'stun' | 'dtls' | 'rtp' | 'rtcp' | 'unknown';

/** RTCP's packet types are where RTP would have a marker bit and payload types 64–95 (RFC 5761 §4). */
const FIRST_RTCP_TYPE = 192;
const LAST_RTCP_TYPE = 223;

/** The protocol of a datagram by its first two bytes; what it says is not checked. Empty ones are unknown. */
export function packetKindOf(bytes: Uint8Array): PacketKind {
  if (bytes.length < 2) return 'unknown';
  const first = bytes[0]!;
  if (first >= 128 && first <= 191) {
    const second = bytes[1]!;
    return second >= FIRST_RTCP_TYPE && second <= LAST_RTCP_TYPE ? 'rtcp' : 'rtp';
  }
  if (first <= 3) return 'stun';
  return first >= 20 && first <= 63 ? 'dtls' : 'unknown';
}
