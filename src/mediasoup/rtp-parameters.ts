/** Kind of media. */
export type MediaKind = 'audio' | 'video';

/** Feedback a codec uses (RFC 4585 §4.2): `nack`, `nack pli`, `ccm fir`, `goog-remb`, `transport-cc`. */
export interface RtcpFeedback {
  type: string;
  /** '' by default. */
  parameter?: string;
}

/** Codec-specific parameters (`a=fmtp`); numbers, texts or undefined. */
export type RtpCodecParameterValues = Record<string, unknown>;

/** One codec an endpoint can receive. */
export interface RtpCodecCapability {
  kind: MediaKind;
  /** `audio/opus`, `video/VP8` …; compared without regard to case. */
  mimeType: string;
  preferredPayloadType: number;
  /** Hz. */
  clockRate: number;
  /** Of audio; 1 by default. */
  channels?: number;
  parameters?: RtpCodecParameterValues;
  rtcpFeedback?: RtcpFeedback[];
}

/** A codec for a router: its payload type is chosen by the router unless given. */
export type RouterRtpCodecCapability = Omit<RtpCodecCapability, 'preferredPayloadType'> & {
  preferredPayloadType?: number;
};

/** Seen from the router. */
export type RtpHeaderExtensionDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** One RTP header extension an endpoint supports (RFC 8285). */
export interface RtpHeaderExtension {
  kind: MediaKind;
  uri: string;
  preferredId: number;
  /** false by default. */
  preferredEncrypt?: boolean;
  /** `sendrecv` by default. */
  direction?: RtpHeaderExtensionDirection;
}

/** What an endpoint, or a router, can receive. */
export interface RtpCapabilities {
  codecs?: RtpCodecCapability[];
  headerExtensions?: RtpHeaderExtension[];
}

/** Capabilities after validation: every optional list is there. */
export interface NormalizedRtpCapabilities extends RtpCapabilities {
  codecs: RtpCodecCapability[];
  headerExtensions: RtpHeaderExtension[];
}

/** One codec in use. */
export interface RtpCodecParameters {
  mimeType: string;
  payloadType: number;
  clockRate: number;
  channels?: number;
  parameters?: RtpCodecParameterValues;
  rtcpFeedback?: RtcpFeedback[];
}

/** One RTP header extension in use. */
export interface RtpHeaderExtensionParameters {
  uri: string;
  /** 1–14 or, with two-byte headers, 1–255. */
  id: number;
  encrypt?: boolean;
  parameters?: Record<string, unknown>;
}

/** One stream of a sender: by SSRC, by RID, or by the MID alone. */
export interface RtpEncodingParameters {
  ssrc?: number;
  rid?: string;
  codecPayloadType?: number;
  rtx?: { ssrc: number };
  /** The sender pauses in silence (Opus). */
  dtx?: boolean;
  /** `L1T3`, `S3T3`, `L3T3_KEY` …; `parseScalabilityMode` reads it. */
  scalabilityMode?: string;
  /** Bits per second. */
  maxBitrate?: number;
}

export interface RtcpParameters {
  cname?: string;
  /** RFC 5506; true by default. */
  reducedSize?: boolean;
}

/** How media is sent: by a producer to the router or by a consumer to an endpoint. */
export interface RtpParameters {
  mid?: string;
  codecs: RtpCodecParameters[];
  headerExtensions?: RtpHeaderExtensionParameters[];
  encodings?: RtpEncodingParameters[];
  rtcp?: RtcpParameters;
  /** Media stream and track of the sender (RFC 8830), passed on to consumers. */
  msid?: string;
}

/** Parameters after validation: every optional list is there. */
export interface NormalizedRtpParameters extends RtpParameters {
  headerExtensions: RtpHeaderExtensionParameters[];
  encodings: RtpEncodingParameters[];
  rtcp: RtcpParameters;
}

/** From a producer's payload types and streams to those its consumers see. */
export interface RtpCodecsEncodingsMapping {
  codecs: { payloadType: number; mappedPayloadType: number }[];
  encodings: { ssrc?: number; rid?: string; scalabilityMode?: string; mappedSsrc: number }[];
}
