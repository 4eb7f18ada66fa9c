import { clone } from '../clone.ts';
import { UnsupportedError } from '../errors.ts';
import { randomSsrc } from '../random.ts';
import type {
  MediaKind,
  NormalizedRtpCapabilities,
  NormalizedRtpParameters,
  RtpCapabilities,
  RtpCodecCapability,
  RtpCodecParameters,
  RtpCodecsEncodingsMapping,
  RtpHeaderExtension,
  RtpParameters,
} from '../rtp-parameters.ts';
import { isRtxCodec, matchCodecs } from './codec-match.ts';
import { HeaderExtensionUri } from './supported-rtp-capabilities.tables.ts';

/**
 * How a producer's payload types and streams map to the router's. A producer's H.264 codec gets the `profile-level-id`
 * agreed on, in `params`.
 * @param params normalized
 * @param caps the router's
 * @throws UnsupportedError when the router lacks a codec or its RTX
 * @throws TypeError for an RTX codec of no media codec
 */
export function getProducerRtpParametersMapping(
  params: RtpParameters,
  caps: RtpCapabilities,
): RtpCodecsEncodingsMapping {
  const matches = new Map<RtpCodecParameters, RtpCodecCapability>();
  const capCodecs = caps.codecs ?? [];
  for (const codec of params.codecs) {
    if (isRtxCodec(codec)) continue;
    const capCodec = capCodecs.find((candidate) => matchCodecs(codec, candidate, { strict: true, modify: true }));
    if (capCodec === undefined) {
      throw new UnsupportedError(`unsupported codec [mimeType:${codec.mimeType}, payloadType:${codec.payloadType}]`);
    }
    matches.set(codec, capCodec);
  }
  for (const codec of params.codecs) {
    if (!isRtxCodec(codec)) continue;
    const mediaCodec = params.codecs.find(({ payloadType }) => payloadType === codec.parameters?.['apt']);
    const capCodec = mediaCodec === undefined ? undefined : matches.get(mediaCodec);
    if (capCodec === undefined) throw new TypeError(`missing media codec found for RTX PT ${codec.payloadType}`);
    const capRtx = rtxCodecOf(capCodecs, capCodec.preferredPayloadType);
    if (capRtx === undefined) {
      throw new UnsupportedError(`no RTX codec for capability codec PT ${capCodec.preferredPayloadType}`);
    }
    matches.set(codec, capRtx);
  }
  const firstSsrc = randomSsrc();
  return {
    codecs: [...matches].map(([codec, capCodec]) => ({
      payloadType: codec.payloadType,
      mappedPayloadType: capCodec.preferredPayloadType,
    })),
    encodings: (params.encodings ?? []).map(({ rid, ssrc }, index) => ({
      mappedSsrc: firstSsrc + index,
      ...(rid === undefined ? {} : { rid }),
      ...(ssrc === undefined ? {} : { ssrc }),
    })),
  };
}

function rtxCodecOf(codecs: readonly RtpCodecCapability[], payloadType: number): RtpCodecCapability | undefined {
  return codecs.find((codec) => isRtxCodec(codec) && codec.parameters?.['apt'] === payloadType);
}

/**
 * What a producer looks like to its consumers: the router's payload types, header extensions and SSRCs.
 * @param params the producer's, normalized
 * @param caps the router's
 */
export function getConsumableRtpParameters(
  kind: MediaKind,
  params: RtpParameters,
  caps: RtpCapabilities,
  mapping: RtpCodecsEncodingsMapping,
): NormalizedRtpParameters {
  const { codecs: capCodecs, headerExtensions } = caps as NormalizedRtpCapabilities;
  const codecs: RtpCodecParameters[] = [];
  for (const codec of params.codecs) {
    if (isRtxCodec(codec)) continue;
    const mapped = mapping.codecs.find(({ payloadType }) => payloadType === codec.payloadType)?.mappedPayloadType;
    const capCodec = capCodecs.find(({ preferredPayloadType }) => preferredPayloadType === mapped);
    if (capCodec === undefined) throw new TypeError(`payload type ${codec.payloadType} is not mapped`);
    codecs.push(inUse(capCodec, codec.parameters));
    const capRtx = rtxCodecOf(capCodecs, capCodec.preferredPayloadType);
    if (capRtx !== undefined) codecs.push(inUse(capRtx, capRtx.parameters));
  }
  return {
    codecs,
    headerExtensions: headerExtensions
      .filter((extension) => isForConsumers(extension, kind, params))
      .map((extension) => ({
        uri: extension.uri,
        id: extension.preferredId,
        encrypt: extension.preferredEncrypt ?? false,
        parameters: {},
      })),
    encodings: (params.encodings ?? []).map((encoding, index) => {
      const { rid: _, rtx: __, codecPayloadType: ___, ...kept } = encoding;
      return { ...kept, ssrc: mapping.encodings[index]!.mappedSsrc };
    }),
    rtcp: { ...(params.rtcp?.cname === undefined ? {} : { cname: params.rtcp.cname }), reducedSize: true },
    ...(params.msid === undefined ? {} : { msid: params.msid }),
  };
}

function inUse(codec: RtpCodecCapability, parameters: RtpCodecParameters['parameters']): RtpCodecParameters {
  return {
    mimeType: codec.mimeType,
    payloadType: codec.preferredPayloadType,
    clockRate: codec.clockRate,
    ...(codec.channels === undefined ? {} : { channels: codec.channels }),
    parameters: clone(parameters) ?? {},
    rtcpFeedback: clone(codec.rtcpFeedback) ?? [],
  };
}

/** A capture time comes from the producer or not at all: consumers must not wait for what nobody sends. */
function isForConsumers(extension: RtpHeaderExtension, kind: MediaKind, params: RtpParameters): boolean {
  const { uri, direction } = extension;
  if (extension.kind !== kind || (direction !== 'sendrecv' && direction !== 'sendonly')) return false;
  return uri !== HeaderExtensionUri.absCaptureTime || isUsed(params, uri);
}

function isUsed({ headerExtensions = [] }: RtpParameters, uri: string): boolean {
  return headerExtensions.some((extension) => extension.uri === uri);
}
