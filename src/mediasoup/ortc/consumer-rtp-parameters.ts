import { clone } from '../clone.ts';
import { UnsupportedError } from '../errors.ts';
import { randomSsrc } from '../random.ts';
import type {
  NormalizedRtpParameters,
  RtcpFeedback,
  RtpCapabilities,
  RtpCodecParameters,
  RtpEncodingParameters,
  RtpHeaderExtensionParameters,
  RtpParameters,
} from '../rtp-parameters.ts';
import { parseScalabilityMode } from '../scalability-modes.ts';
import { isRtxCodec, matchCodecs } from './codec-match.ts';
import { dependencyDescriptor, HeaderExtensionUri } from './supported-rtp-capabilities.tables.ts';
import { validateAndNormalizeRtpCapabilities } from './validate-parameters.ts';

/**
 * An endpoint can receive at least the first media codec both have.
 * @throws TypeError for wrong capabilities, which are normalized in place
 */
export function canConsume(consumableRtpParameters: RtpParameters, caps: RtpCapabilities): boolean {
  validateAndNormalizeRtpCapabilities(caps);
  const first = consumableRtpParameters.codecs.find((codec) =>
    caps.codecs.some((capCodec) => matchCodecs(capCodec, codec, { strict: true })),
  );
  return first !== undefined && !isRtxCodec(first);
}

export interface ConsumerRtpParametersOptions {
  readonly consumableRtpParameters: RtpParameters;
  readonly remoteRtpCapabilities: RtpCapabilities;
  /** Every stream of the producer goes out, instead of one chosen from them. */
  readonly pipe: boolean;
  readonly enableRtx: boolean;
}

/**
 * How a consumer sends to an endpoint with these capabilities: the codecs and header extensions both have, one way of
 * estimating bandwidth (transport-wide feedback before REMB), new SSRCs.
 * @throws UnsupportedError when they have no codec in common
 * @throws TypeError for wrong capabilities, which are normalized in place
 */
export function getConsumerRtpParameters(options: ConsumerRtpParametersOptions): NormalizedRtpParameters {
  const { consumableRtpParameters: consumable, remoteRtpCapabilities: caps, pipe, enableRtx } = options;
  validateAndNormalizeRtpCapabilities(caps);
  const matched: RtpCodecParameters[] = [];
  for (const codec of consumable.codecs) {
    if (!enableRtx && isRtxCodec(codec)) continue;
    const capCodec = caps.codecs.find((candidate) => matchCodecs(candidate, codec, { strict: true }));
    if (capCodec === undefined) continue;
    const rtcpFeedback = (capCodec.rtcpFeedback ?? []).filter((feedback) => enableRtx || !isPlainNack(feedback));
    matched.push({ ...clone(codec), rtcpFeedback: clone(rtcpFeedback) });
  }
  // An RTX codec is of no use without its media codec.
  const codecs = matched.filter(
    (codec) => !isRtxCodec(codec) || matched.some(({ payloadType }) => payloadType === codec.parameters?.['apt']),
  );
  if (codecs.length === 0 || isRtxCodec(codecs[0]!)) throw new UnsupportedError('no compatible media codecs');
  const headerExtensions = (consumable.headerExtensions ?? []).filter(({ id, uri }) =>
    caps.headerExtensions.some((extension) => extension.preferredId === id && extension.uri === uri),
  );
  reduceFeedback(codecs, headerExtensions);
  const hasRtx = codecs.some((codec) => isRtxCodec(codec));
  const encodings = consumable.encodings ?? [];
  const needsDependencies = !pipe && isAv1WithSpatialLayers(codecs[0]!, encodings);
  return {
    codecs,
    headerExtensions: needsDependencies ? withDependencyDescriptor(headerExtensions) : clone(headerExtensions),
    encodings: pipe ? pipeEncodings(encodings, hasRtx) : [singleEncoding(encodings, hasRtx)],
    rtcp: clone(consumable.rtcp) ?? {},
    ...(consumable.msid === undefined ? {} : { msid: consumable.msid }),
  };
}

/**
 * Browsers take the frames of spatial layers of AV1 for pictures of their own, which they can't decode, unless the dependency
 * descriptor says otherwise. They take it where it is offered, though it is not among what they say they can have.
 */
function isAv1WithSpatialLayers(codec: RtpCodecParameters, encodings: readonly RtpEncodingParameters[]): boolean {
  if (codec.mimeType.toLowerCase() !== 'video/av1' || encodings.length !== 1) return false;
  const scalabilityMode = encodings[0]?.scalabilityMode ?? '';
  // In modes that begin with S no picture has frames of more than one layer for a viewer.
  return scalabilityMode.startsWith('L') && parseScalabilityMode(scalabilityMode).spatialLayers > 1;
}

function isPlainNack({ type, parameter }: RtcpFeedback): boolean {
  return type === 'nack' && (parameter === undefined || parameter === '');
}

function reduceFeedback(
  codecs: readonly RtpCodecParameters[],
  headerExtensions: readonly RtpHeaderExtensionParameters[],
): void {
  const has = (uri: string): boolean => headerExtensions.some((extension) => extension.uri === uri);
  const hasTransportCc = has(HeaderExtensionUri.transportWideCc);
  const hasRemb = !hasTransportCc && has(HeaderExtensionUri.absSendTime);
  for (const codec of codecs) {
    codec.rtcpFeedback = (codec.rtcpFeedback ?? []).filter(
      ({ type }) => (type !== 'transport-cc' || hasTransportCc) && (type !== 'goog-remb' || hasRemb),
    );
  }
}

function singleEncoding(encodings: readonly RtpEncodingParameters[], hasRtx: boolean): RtpEncodingParameters {
  const ssrc = randomSsrc();
  const given = encodings.find((encoding) => encoding.scalabilityMode !== undefined)?.scalabilityMode;
  // What simulcast streams are to a sender are spatial layers to the viewer of one of them.
  const scalabilityMode =
    encodings.length > 1 ? `L${encodings.length}T${parseScalabilityMode(given).temporalLayers}` : given;
  const maxBitrate = Math.max(0, ...encodings.map((encoding) => encoding.maxBitrate ?? 0));
  return {
    ssrc,
    ...(hasRtx ? { rtx: { ssrc: ssrc + 1 } } : {}),
    ...(scalabilityMode === undefined ? {} : { scalabilityMode }),
    ...(maxBitrate === 0 ? {} : { maxBitrate }),
  };
}

function pipeEncodings(encodings: readonly RtpEncodingParameters[], hasRtx: boolean): RtpEncodingParameters[] {
  const firstSsrc = randomSsrc();
  const firstRtxSsrc = randomSsrc();
  return encodings.map((encoding, index) => {
    const { rtx: _, ...kept } = encoding;
    return {
      ...kept,
      ssrc: firstSsrc + index,
      ...(hasRtx ? { rtx: { ssrc: firstRtxSsrc + index } } : {}),
    };
  });
}

export interface PipeConsumerRtpParametersOptions {
  readonly consumableRtpParameters: RtpParameters;
  readonly enableRtx: boolean;
}

/** How a consumer sends to a pipe: every stream and codec; nothing that belongs to the transport (MID, bandwidth). */
export function getPipeConsumerRtpParameters(options: PipeConsumerRtpParametersOptions): NormalizedRtpParameters {
  const { consumableRtpParameters: consumable, enableRtx } = options;
  const ofTransport: readonly string[] = [
    HeaderExtensionUri.mid,
    HeaderExtensionUri.absSendTime,
    HeaderExtensionUri.transportWideCc,
  ];
  return {
    codecs: consumable.codecs
      .filter((codec) => enableRtx || !isRtxCodec(codec))
      .map((codec) => ({
        ...clone(codec),
        rtcpFeedback: (codec.rtcpFeedback ?? []).filter(
          (feedback) =>
            (feedback.type === 'nack' && feedback.parameter === 'pli') ||
            (feedback.type === 'ccm' && feedback.parameter === 'fir') ||
            (enableRtx && isPlainNack(feedback)),
        ),
      })),
    headerExtensions: withDependencyDescriptor(
      (consumable.headerExtensions ?? []).filter(({ uri }) => !ofTransport.includes(uri)),
    ),
    encodings: pipeEncodings(consumable.encodings ?? [], enableRtx),
    rtcp: clone(consumable.rtcp) ?? {},
    ...(consumable.msid === undefined ? {} : { msid: consumable.msid }),
  };
}

/** The next router needs the dependency descriptor to tell layers apart, while endpoints mostly don't get it. */
function withDependencyDescriptor(
  headerExtensions: readonly RtpHeaderExtensionParameters[],
): RtpHeaderExtensionParameters[] {
  const { uri, preferredId: id } = dependencyDescriptor;
  const others = clone(headerExtensions.filter((extension) => extension.uri !== uri));
  return [...others, { uri, id, encrypt: false, parameters: {} }].sort((a, b) => a.id - b.id);
}
