/** URIs of the RTP header extensions an SFU or a WebRTC transport reads or writes, as SDP's `extmap` names them. */
export const HEADER_EXTENSION_URI = {
  /** RFC 9143 §15.2. */
  mid: 'urn:ietf:params:rtp-hdrext:sdes:mid',
  /** RFC 8852 §4.1. */
  rid: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  /** RFC 8852 §4.2. */
  repairedRid: 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  absSendTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  /** draft-holmer-rmcat-transport-wide-cc-extensions-01 §2. */
  transportWideSequenceNumber: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  /** RFC 6464. */
  audioLevel: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  /** RFC 6465. */
  mixerAudioLevels: 'urn:ietf:params:rtp-hdrext:csrc-audio-level',
  /** AV1 RTP specification, appendix A. */
  dependencyDescriptor: 'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
  /** 3GPP TS 26.114 §7.4.5. */
  videoOrientation: 'urn:3gpp:video-orientation',
  /** RFC 5450. */
  transmissionOffset: 'urn:ietf:params:rtp-hdrext:toffset',
  absCaptureTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
  playoutDelay: 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
  videoLayersAllocation: 'http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00',
  /** RFC 9626. */
  frameMarking: 'urn:ietf:params:rtp-hdrext:framemarking',
} as const;

/** Millrace's short name of a header extension. */
export type HeaderExtensionName = keyof typeof HEADER_EXTENSION_URI;

const NAMES: ReadonlyMap<string, HeaderExtensionName> = new Map(
  Object.entries(HEADER_EXTENSION_URI).map(([name, uri]) => [uri, name as HeaderExtensionName]),
);

/** The short name of the extension with this URI; `undefined` for those Millrace does not know. */
export function headerExtensionNameOf(uri: string): HeaderExtensionName | undefined {
  return NAMES.get(uri);
}
