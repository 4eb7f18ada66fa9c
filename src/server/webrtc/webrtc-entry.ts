/**
 * What carries WebRTC, for programs that are a peer or a server of their own (subpath `millrace/webrtc`): STUN, ICE, DTLS,
 * SCTP with data channels, RTP as an SFU handles it, bandwidth estimation, and ports and clients that put it together.
 * SRTP, RTCP and SDP are in `millrace/rtp`.
 */

export type { DatagramSocket, DatagramSocketOptions, DatagramTarget } from '../../io/datagram-socket.ts';
export { type DtlsCertificatePem, parseDtlsCertificatePem } from '../../io/dtls-certificate-pem.ts';
export { nodeDtlsCrypto } from '../../io/dtls-crypto.ts';
export { nodeSctpCrypto } from '../../io/sctp-crypto.ts';
export { type SrtpProvider, srtpProvider } from '../../io/srtp-crypto.ts';
export { nodeStunCrypto } from '../../io/stun-crypto.ts';
export { UdpSocket } from '../../io/udp-socket.ts';
export { DtlsCertificate } from '../../protocol/dtls/dtls-certificate.ts';
export type { DtlsCrypto } from '../../protocol/dtls/dtls-crypto.ts';
export type { DtlsOptions } from '../../protocol/dtls/dtls-options.ts';
export { type DtlsEvent, DtlsSession, type DtlsState } from '../../protocol/dtls/dtls-session.ts';
export type { CertificateFingerprint } from '../../protocol/dtls/fingerprint.ts';
export { type HelloVerdict, HelloVerifier } from '../../protocol/dtls/hello-verifier.ts';
export {
  createSelfSignedCertificate,
  type SelfSignedCertificateOptions,
} from '../../protocol/dtls/self-signed-certificate.ts';
export { candidatePriority, type IceCandidate, parseCandidate, writeCandidate } from '../../protocol/ice/candidate.ts';
export { type IceParameters, makeIceParameters } from '../../protocol/ice/credentials.ts';
export { IceAgent, type IceAgentEvent, type IceAgentOptions, type IceState } from '../../protocol/ice/ice-agent.ts';
export {
  IceLiteAgent,
  type IceLiteAgentOptions,
  type IceLiteEvent,
  type IceLiteState,
} from '../../protocol/ice/ice-lite-agent.ts';
export type { IceTuple } from '../../protocol/ice/ice-tuple.ts';
export { type PacketKind, packetKindOf } from '../../protocol/ice/packet-kind.ts';
export { TcpFrameReader, writeTcpFrame } from '../../protocol/ice/tcp-framing.ts';
export { TupleTable, UfragTable } from '../../protocol/ice/tuple-table.ts';
export {
  AbsCaptureTime,
  readAbsCaptureTime,
  writeAbsCaptureTime,
} from '../../protocol/rtp/extensions/abs-capture-time.ts';
export {
  absSendTimeDiffUs,
  readAbsSendTime,
  toAbsSendTime,
  writeAbsSendTime,
} from '../../protocol/rtp/extensions/abs-send-time.ts';
export {
  readAudioLevel,
  readMixerLevels,
  VOICE_ACTIVITY,
  writeAudioLevel,
} from '../../protocol/rtp/extensions/audio-level.ts';
export {
  DependencyDescriptor,
  DependencyDescriptorReader,
} from '../../protocol/rtp/extensions/dependency-descriptor.ts';
export { DependencyDescriptorWriter } from '../../protocol/rtp/extensions/dependency-descriptor-writer.ts';
export type { DependencyStructure } from '../../protocol/rtp/extensions/dependency-structure.ts';
export { FrameMarking, readFrameMarking } from '../../protocol/rtp/extensions/frame-marking.ts';
export {
  HEADER_EXTENSION_URI,
  type HeaderExtensionName,
  headerExtensionNameOf,
} from '../../protocol/rtp/extensions/header-extension-uris.ts';
export {
  HeaderExtensionWriter,
  type HeaderExtensionWriterOptions,
} from '../../protocol/rtp/extensions/header-extension-writer.ts';
export {
  maxPlayoutDelayMs,
  minPlayoutDelayMs,
  readPlayoutDelay,
  writePlayoutDelay,
} from '../../protocol/rtp/extensions/playout-delay.ts';
export { isStreamName, readStreamName, streamNameBytes } from '../../protocol/rtp/extensions/stream-name.ts';
export { readTransmissionOffset, writeTransmissionOffset } from '../../protocol/rtp/extensions/transmission-offset.ts';
export {
  readTransportWideSequenceNumber,
  writeTransportWideSequenceNumber,
} from '../../protocol/rtp/extensions/transport-wide-sequence-number.ts';
export {
  readVideoLayersAllocation,
  type VideoLayersAllocation,
} from '../../protocol/rtp/extensions/video-layers-allocation.ts';
export {
  readVideoOrientation,
  toVideoOrientation,
  type VideoOrientation,
  videoOrientationByte,
} from '../../protocol/rtp/extensions/video-orientation.ts';
export { Av1Payload, parseAv1Payload } from '../../protocol/rtp/layers/av1-payload.ts';
export { H264Payload, parseH264Payload } from '../../protocol/rtp/layers/h264-payload.ts';
export { isOpusDtx } from '../../protocol/rtp/layers/opus-payload.ts';
export { type PictureNumbers, rewritePictureNumbers } from '../../protocol/rtp/layers/picture-id-rewrite.ts';
export { parseVp8Descriptor, Vp8Descriptor } from '../../protocol/rtp/layers/vp8-descriptor.ts';
export { parseVp9LayerDescriptor, Vp9LayerDescriptor } from '../../protocol/rtp/layers/vp9-layer-descriptor.ts';
export { parseRedundantAudio, type RedundantBlock, writeRedundantAudio } from '../../protocol/rtp/redundant-audio.ts';
export {
  type ReceiverEstimatedBitrate,
  readReceiverEstimatedBitrate,
  writeReceiverEstimatedBitrate,
} from '../../protocol/rtp/rtcp-receiver-estimated-bitrate.ts';
export {
  readTransportWideFeedback,
  type TransportWideFeedback,
  writeTransportWideFeedback,
} from '../../protocol/rtp/rtcp-transport-wide-feedback.ts';
export { RtpPacketView } from '../../protocol/rtp/rtp-packet-view.ts';
export { RTX_OVERHEAD_BYTES, type RtxStream, restoreRtx, writeRtx } from '../../protocol/rtp/rtx.ts';
export type { DataChannelKind, DataChannelState } from '../../protocol/sctp/data-channel.ts';
export {
  type DataChannelEvent,
  DataChannels,
  type DataChannelsOptions,
  type OpenChannelOptions,
} from '../../protocol/sctp/data-channels.ts';
export { SctpAssociation } from '../../protocol/sctp/sctp-association.ts';
export type { SctpEvent } from '../../protocol/sctp/sctp-event.ts';
export type { SctpOptions } from '../../protocol/sctp/sctp-options.ts';
export { longTermKey } from '../../protocol/stun/long-term-credentials.ts';
export { isIntegrityValid } from '../../protocol/stun/message-integrity.ts';
export { StunAttribute, StunErrorCode } from '../../protocol/stun/stun-attributes.ts';
export { BINDING_METHOD, parseStunMessage, StunClass, StunMessage } from '../../protocol/stun/stun-message.ts';
export { StunWriter } from '../../protocol/stun/stun-writer.ts';
export { ArrivalRecorder, type ArrivalRecorderOptions } from '../../sfu/bwe/arrival-recorder.ts';
export {
  BandwidthEstimator,
  type BandwidthEstimatorOptions,
  type BandwidthTrace,
} from '../../sfu/bwe/bandwidth-estimator.ts';
export { Pacer, type PacerOptions, type PacerPort, type PacerPriority } from '../../sfu/bwe/pacer.ts';
export { ReceiveSideEstimator, type ReceiveSideOptions } from '../../sfu/bwe/receive-side-estimator.ts';
export type { PacketAddress, PacketHandler, PacketQueue } from '../../sfu/ports/packet-port.ts';
export {
  type DtlsSrtpEvent,
  DtlsSrtpTransport,
  type DtlsTransportState,
  type SctpNews,
} from '../../sfu/transport/dtls-srtp-transport.ts';
export type { PortSession, PortSessionOptions } from './port-member.ts';
export { type ClientTransport, WebRtcClient, type WebRtcClientOptions } from './webrtc-client.ts';
export { WebRtcPort, type WebRtcPortOptions } from './webrtc-port.ts';
export { type DroppedPackets, WebRtcSession, type WebRtcSessionHandlers } from './webrtc-session.ts';
