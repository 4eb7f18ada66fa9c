import { HEADER_EXTENSION_URI } from '../../protocol/rtp/extensions/header-extension-uris.ts';
import { type LayerDependency, MAX_LAYERS } from '../streams/layered-rate-counter.ts';

/**
 * What control tells of media, with the names of its API. Control has checked and completed it; nothing here is of peers.
 */

/** Kind of media. */
export type MediaKind = 'audio' | 'video';

/** How a producer's or consumer's streams are made up. */
export type StreamsType = 'simple' | 'simulcast' | 'svc' | 'pipe';

/** One codec in use. */
export interface RtpCodecParameters {
  /** `video/VP8`, `audio/opus`, `video/rtx`, …; compared without regard to case. */
  readonly mimeType: string;
  readonly payloadType: number;
  readonly clockRate: number;
  readonly channels?: number;
  /** `apt` of RTX; `useinbandfec`, `usedtx` of Opus. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly rtcpFeedback?: readonly { readonly type: string; readonly parameter?: string }[];
}

/** One stream: told by SSRC, by rid, or by the mid alone. */
export interface RtpEncodingParameters {
  readonly ssrc?: number;
  readonly rid?: string;
  readonly codecPayloadType?: number;
  readonly rtx?: { readonly ssrc: number };
  readonly dtx?: boolean;
  readonly scalabilityMode?: string;
  readonly maxBitrate?: number;
}

/** One header extension in use. */
export interface RtpHeaderExtensionParameters {
  readonly uri: string;
  readonly id: number;
  readonly encrypt?: boolean;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** How media is sent: by a producer, or by a consumer. */
export interface RtpParameters {
  readonly mid?: string;
  readonly codecs: readonly RtpCodecParameters[];
  readonly headerExtensions?: readonly RtpHeaderExtensionParameters[];
  readonly encodings?: readonly RtpEncodingParameters[];
  readonly rtcp?: { readonly cname?: string; readonly reducedSize?: boolean };
  readonly msid?: string;
}

/** From a producer's payload types and streams to those its consumers see. */
export interface RtpMapping {
  readonly codecs: readonly { readonly payloadType: number; readonly mappedPayloadType: number }[];
  readonly encodings: readonly {
    readonly ssrc?: number;
    readonly rid?: string;
    readonly mappedSsrc: number;
  }[];
}

/** One encoding as consumers may have it. */
export interface ConsumableEncoding extends RtpEncodingParameters {
  readonly ssrc: number;
}

const SCALABILITY_MODE = /^([LS])([1-9]\d?)T([1-9]\d?)(_KEY)?/;

/** Layers of a scalability mode, at least one of each. */
export interface ScalabilityMode {
  readonly spatialLayers: number;
  readonly temporalLayers: number;
  /** Independent: spatial layers need those below at key pictures only (W3C WebRTC-SVC §6: `_KEY`), or never (`S`). */
  readonly dependency: LayerDependency;
}

/** Reads `L1T3`, `S3T3`, `L3T3_KEY` …; one layer of each for anything else, and no more than `MAX_LAYERS`. */
export function readScalabilityMode(mode: string | undefined): ScalabilityMode {
  const match = SCALABILITY_MODE.exec(mode ?? '');
  if (match === null) return { spatialLayers: 1, temporalLayers: 1, dependency: 'lower-layers' };
  // Peers write what they want: there is something to be reckoned for every two layers.
  const [spatialLayers, temporalLayers] = [match[2], match[3]].map((count) => Math.min(Number(count), MAX_LAYERS));
  const dependency = match[1] === 'S' || match[4] !== undefined ? 'independent' : 'lower-layers';
  return { spatialLayers: spatialLayers!, temporalLayers: temporalLayers!, dependency };
}

/** Whether a codec repeats packets of another (RFC 4588). */
export function isRtxCodec({ mimeType }: RtpCodecParameters): boolean {
  return mimeType.toLowerCase().endsWith('/rtx');
}

/** The codec of media an encoding uses: the one it names, or the first. */
export function mediaCodecOf(
  params: RtpParameters,
  encoding: RtpEncodingParameters | undefined,
): RtpCodecParameters | undefined {
  const media = params.codecs.filter((codec) => !isRtxCodec(codec));
  return media.find(({ payloadType }) => payloadType === encoding?.codecPayloadType) ?? media[0];
}

/** The RTX codec that goes with a codec. */
export function rtxCodecOf(params: RtpParameters, media: RtpCodecParameters): RtpCodecParameters | undefined {
  return params.codecs.find((codec) => isRtxCodec(codec) && codec.parameters?.['apt'] === media.payloadType);
}

const MIME_TYPES: ReadonlyMap<string, string> = new Map(
  `audio/opus audio/multiopus audio/PCMU audio/PCMA audio/ISAC audio/G722 audio/iLBC audio/SILK audio/CN
  audio/telephone-event audio/rtx video/VP8 video/VP9 video/H264 video/AV1 video/rtx`
    .split(/\s+/)
    .map((name) => [name.toLowerCase(), name]),
);

/** A MIME type in its usual spelling. */
export function mimeTypeOf(mimeType: string): string {
  return MIME_TYPES.get(mimeType.toLowerCase()) ?? mimeType;
}

/** As `dump` shows them: codecs by their usual names, and every encoding with the codec of media it has. */
export function dumpRtpParameters(params: RtpParameters): RtpParameters {
  const codecs = params.codecs.map((codec) => ({
    ...codec,
    mimeType: mimeTypeOf(codec.mimeType),
    rtcpFeedback: (codec.rtcpFeedback ?? []).map(({ type, parameter = '' }) =>
      parameter === '' ? { type } : { type, parameter },
    ),
  }));
  if (params.encodings === undefined) return { ...params, codecs };
  return {
    ...params,
    codecs,
    encodings: params.encodings.map((encoding) => {
      const codec = mediaCodecOf(params, encoding);
      return codec === undefined ? encoding : { codecPayloadType: codec.payloadType, ...encoding };
    }),
  };
}

/** Whether a codec uses a kind of feedback, say `nack` or `nack` `pli`. */
export function hasFeedback(codec: RtpCodecParameters, type: string, parameter = ''): boolean {
  return codec.rtcpFeedback?.some((one) => one.type === type && (one.parameter ?? '') === parameter) ?? false;
}

/** What each kind of feedback on the path tells of is in a header extension. */
const PATH_FEEDBACK_URI: Readonly<Record<'transport-cc' | 'goog-remb', string>> = {
  'transport-cc': HEADER_EXTENSION_URI.transportWideSequenceNumber,
  'goog-remb': HEADER_EXTENSION_URI.absSendTime,
};

/** Whether a kind of feedback on the path is agreed on, and the header extension it needs. */
export function hasPathFeedback(params: RtpParameters, type: keyof typeof PATH_FEEDBACK_URI): boolean {
  return (
    headerExtensionId(params, PATH_FEEDBACK_URI[type]) !== 0 && params.codecs.some((codec) => hasFeedback(codec, type))
  );
}

/** The id of a header extension, 0 when it is not in use. */
export function headerExtensionId(params: RtpParameters, uri: string): number {
  return params.headerExtensions?.find((extension) => extension.uri === uri)?.id ?? 0;
}
