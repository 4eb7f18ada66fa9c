/**
 * The protocols around RTP for programs that send and receive media themselves (subpath `millrace/rtp`): packets, reports,
 * reordering, SDP, SRTP and MIKEY. Pure machines: bytes and times go in, bytes come out.
 */

export { nodeSrtpCrypto } from '../../io/srtp-cipher.ts';
export {
  type KeyManagementEntry,
  parseKeyManagementAttribute,
  parseKeyManagementHeader,
  writeKeyManagementAttribute,
  writeKeyManagementHeader,
} from '../../protocol/mikey/key-management.ts';
export type { MikeyErrorCode, MikeyMessage } from '../../protocol/mikey/mikey-message.ts';
export { parseMikeyMessage } from '../../protocol/mikey/mikey-reader.ts';
export { type MikeySrtp, type MikeySrtpOptions, mikeyMessageOf, srtpOf } from '../../protocol/mikey/mikey-srtp.ts';
export { writeMikeyMessage } from '../../protocol/mikey/mikey-writer.ts';
export {
  type ExtensionElement,
  findExtensionElement,
  type HeaderExtension,
  readExtensionElements,
  writeExtensionElements,
} from '../../protocol/rtp/header-extension.ts';
export { ReceptionStatistics } from '../../protocol/rtp/reception-statistics.ts';
export {
  ReorderBuffer,
  type ReorderBufferOptions,
  type ReorderCounters,
  type ReorderSink,
} from '../../protocol/rtp/reorder-buffer.ts';
export {
  isRtcp,
  parseRtcp,
  type RtcpCompound,
  type RtcpPacket,
  type RtcpParseOptions,
  writeRtcp,
} from '../../protocol/rtp/rtcp-packet.ts';
export {
  parseRtpPacket,
  type RtpPacket,
  type RtpPacketFields,
  rtpPacketSize,
  writeRtpPacket,
} from '../../protocol/rtp/rtp-packet.ts';
export { SenderStatistics } from '../../protocol/rtp/sender-statistics.ts';
export type { MediaDescription, SessionDescription } from '../../protocol/sdp/session-description.ts';
export { parseSessionDescription } from '../../protocol/sdp/session-description-parser.ts';
export { writeSessionDescription } from '../../protocol/sdp/session-description-writer.ts';
export { type SourceFilter, sourceFiltersOf, ssrcsOf } from '../../protocol/sdp/source-attributes.ts';
export type { SrtpKeys } from '../../protocol/srtp/key-derivation.ts';
export type { SrtpErrorCode, SrtpProfileName } from '../../protocol/srtp/srtp-profile.ts';
export { SrtpReceiver, type SrtpReceiverOptions } from '../../protocol/srtp/srtp-receiver.ts';
export { SrtpSender } from '../../protocol/srtp/srtp-sender.ts';
export { ByteWriter } from '../../wire/byte-writer.ts';
