import type {
  MediaKind,
  RouterRtpCodecCapability,
  RtcpFeedback,
  RtpHeaderExtension,
  RtpHeaderExtensionDirection,
} from '../rtp-parameters.ts';

const transportCc: RtcpFeedback = { type: 'transport-cc' };
const videoFeedback: readonly RtcpFeedback[] = [
  { type: 'nack' },
  { type: 'nack', parameter: 'pli' },
  { type: 'ccm', parameter: 'fir' },
  { type: 'goog-remb' },
  transportCc,
];

function audio(
  name: string,
  clockRate: number,
  more: {
    readonly payloadType?: number;
    readonly channels?: number;
    readonly parameters?: Record<string, unknown>;
  } = {},
  rtcpFeedback: readonly RtcpFeedback[] = [transportCc],
): RouterRtpCodecCapability {
  return {
    kind: 'audio',
    mimeType: `audio/${name}`,
    clockRate,
    ...(more.payloadType === undefined ? {} : { preferredPayloadType: more.payloadType }),
    ...(more.channels === undefined ? {} : { channels: more.channels }),
    ...(more.parameters === undefined ? {} : { parameters: more.parameters }),
    ...(rtcpFeedback.length === 0 ? {} : { rtcpFeedback: [...rtcpFeedback] }),
  };
}

/** Surround Opus: the mapping of channels to streams is part of the codec (libwebrtc's `multiopus`). */
function multiOpus(channels: number, mapping: string, streams: number, coupled: number): RouterRtpCodecCapability {
  const parameters = { channel_mapping: mapping, num_streams: streams, coupled_streams: coupled };
  return audio('multiopus', 48000, { channels, parameters }, [{ type: 'nack' }, transportCc]);
}

function video(name: string, parameters?: Record<string, unknown>): RouterRtpCodecCapability {
  return {
    kind: 'video',
    mimeType: `video/${name}`,
    clockRate: 90000,
    ...(parameters === undefined ? {} : { parameters }),
    rtcpFeedback: [...videoFeedback],
  };
}

function extension(
  kind: MediaKind,
  uri: string,
  preferredId: number,
  direction: RtpHeaderExtensionDirection = 'sendrecv',
): RtpHeaderExtension {
  return { kind, uri, preferredId, preferredEncrypt: false, direction };
}

/** Names of the RTP header extensions. */
export const HeaderExtensionUri = {
  mid: 'urn:ietf:params:rtp-hdrext:sdes:mid',
  rtpStreamId: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  repairedRtpStreamId: 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  absSendTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  transportWideCc: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  ssrcAudioLevel: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  dependencyDescriptor: 'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
  videoOrientation: 'urn:3gpp:video-orientation',
  timeOffset: 'urn:ietf:params:rtp-hdrext:toffset',
  absCaptureTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
  playoutDelay: 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
  packetId: 'urn:mediasoup:params:rtp-hdrext:packet-id',
} as const;

const uri = HeaderExtensionUri;

/** Every codec a router can be given. Those without a payload type get a dynamic one. */
export const supportedCodecs: readonly RouterRtpCodecCapability[] = [
  audio('opus', 48000, { channels: 2 }, [{ type: 'nack' }, transportCc]),
  multiOpus(4, '0,1,2,3', 2, 2),
  multiOpus(6, '0,4,1,2,3,5', 4, 2),
  multiOpus(8, '0,6,1,2,3,4,5,7', 5, 3),
  audio('PCMU', 8000, { payloadType: 0 }),
  audio('PCMA', 8000, { payloadType: 8 }),
  audio('ISAC', 32000),
  audio('ISAC', 16000),
  audio('G722', 8000, { payloadType: 9 }),
  audio('iLBC', 8000),
  audio('SILK', 24000),
  audio('SILK', 16000),
  audio('SILK', 12000),
  audio('SILK', 8000),
  audio('CN', 32000, { payloadType: 13 }, []),
  audio('CN', 16000, { payloadType: 13 }, []),
  audio('CN', 8000, { payloadType: 13 }, []),
  audio('telephone-event', 48000, {}, []),
  audio('telephone-event', 32000, {}, []),
  audio('telephone-event', 16000, {}, []),
  audio('telephone-event', 8000, {}, []),
  video('VP8'),
  video('VP9'),
  video('H264', { 'level-asymmetry-allowed': 1 }),
  video('AV1', {}),
];

/** Says which layers a packet belongs to, whatever the codec. */
export const dependencyDescriptor: RtpHeaderExtension = extension('video', uri.dependencyDescriptor, 7, 'recvonly');

/** Every header extension of a router, with its number there. */
export const supportedHeaderExtensions: readonly RtpHeaderExtension[] = [
  extension('audio', uri.mid, 1),
  extension('video', uri.mid, 1),
  extension('video', uri.rtpStreamId, 2, 'recvonly'),
  extension('video', uri.repairedRtpStreamId, 3, 'recvonly'),
  extension('audio', uri.absSendTime, 4),
  extension('video', uri.absSendTime, 4),
  extension('audio', uri.transportWideCc, 5, 'recvonly'),
  extension('video', uri.transportWideCc, 5),
  extension('audio', uri.ssrcAudioLevel, 6),
  dependencyDescriptor,
  extension('video', uri.videoOrientation, 8),
  extension('video', uri.timeOffset, 9),
  extension('audio', uri.absCaptureTime, 10),
  extension('video', uri.absCaptureTime, 10),
  extension('audio', uri.playoutDelay, 11),
  extension('video', uri.playoutDelay, 11),
  extension('audio', uri.packetId, 12),
  extension('video', uri.packetId, 12),
];

/** Payload types a router gives to codecs without one of their own, in this order: 100–127, then 96–99. */
export const dynamicPayloadTypes: readonly number[] = [
  ...Array.from({ length: 28 }, (_, index) => 100 + index),
  ...Array.from({ length: 4 }, (_, index) => 96 + index),
];
