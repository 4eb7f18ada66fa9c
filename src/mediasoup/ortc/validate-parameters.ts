import type {
  NormalizedRtpCapabilities,
  NormalizedRtpParameters,
  RouterRtpCodecCapability,
  RtpCapabilities,
  RtpCodecCapability,
  RtpCodecParameters,
  RtpEncodingParameters,
  RtpHeaderExtension,
  RtpHeaderExtensionDirection,
  RtpHeaderExtensionParameters,
  RtpParameters,
} from '../rtp-parameters.ts';
import type { SctpStreamParameters } from '../sctp-parameters.ts';
import {
  codecOf,
  extensionParametersOf,
  type Fields,
  integerOf,
  listOf,
  objectOf,
  optionalFlag,
  optionalInteger,
  optionalText,
  textOf,
} from './validation.ts';

/**
 * Checks capabilities and fills in what is optional, in place.
 * @throws TypeError naming the wrong member
 */
export function validateAndNormalizeRtpCapabilities(caps: RtpCapabilities): asserts caps is NormalizedRtpCapabilities {
  const fields = objectOf(caps, 'caps');
  // A payload type may be missing, whatever the types say: nobody compares it.
  fields['codecs'] = listOf(fields['codecs'], 'caps.codecs').map((codec) => validateRouterCodec(codec));
  fields['headerExtensions'] = listOf(fields['headerExtensions'], 'caps.headerExtensions').map((extension) =>
    headerExtensionOf(objectOf(extension, 'ext')),
  );
}

/**
 * A codec for a router, checked, with its defaults. The payload type may be missing.
 * @throws TypeError naming the wrong member
 */
export function validateRouterCodec(value: unknown): RouterRtpCodecCapability {
  const codec = objectOf(value, 'codec');
  const { channels, ...common } = codecOf(codec);
  const preferredPayloadType = optionalInteger(codec['preferredPayloadType'], 'codec.preferredPayloadType');
  return {
    ...common,
    ...(channels === undefined ? {} : { channels }),
    ...(preferredPayloadType === undefined ? {} : { preferredPayloadType }),
  } satisfies Omit<RtpCodecCapability, 'preferredPayloadType'>;
}

function headerExtensionOf(extension: Fields): RtpHeaderExtension {
  const kind = extension['kind'];
  if (kind !== 'audio' && kind !== 'video') throw new TypeError('invalid ext.kind');
  const direction = optionalText(extension['direction'], 'ext.direction') ?? 'sendrecv';
  return {
    kind,
    uri: textOf(extension['uri'], 'ext.uri'),
    preferredId: integerOf(extension['preferredId'], 'ext.preferredId'),
    preferredEncrypt: optionalFlag(extension['preferredEncrypt'], 'ext.preferredEncrypt', false),
    direction: direction as RtpHeaderExtensionDirection,
  };
}

/**
 * Checks parameters of a sender and fills in what is optional, in place.
 * @throws TypeError naming the wrong member
 */
export function validateAndNormalizeRtpParameters(params: RtpParameters): asserts params is NormalizedRtpParameters {
  const fields = objectOf(params, 'params');
  optionalText(fields['mid'], 'params.mid');
  if (!Array.isArray(fields['codecs'])) throw new TypeError('missing params.codecs');
  fields['codecs'] = (fields['codecs'] as unknown[]).map((codec) => codecParametersOf(objectOf(codec, 'codec')));
  fields['headerExtensions'] = listOf(fields['headerExtensions'], 'params.headerExtensions').map((extension) =>
    extensionInUse(objectOf(extension, 'ext')),
  );
  fields['encodings'] = listOf(fields['encodings'], 'params.encodings').map((encoding) =>
    encodingOf(objectOf(encoding, 'encoding')),
  );
  const rtcp = fields['rtcp'] === undefined || fields['rtcp'] === null ? {} : objectOf(fields['rtcp'], 'params.rtcp');
  optionalText(rtcp['cname'], 'rtcp.cname');
  fields['rtcp'] = { ...rtcp, reducedSize: optionalFlag(rtcp['reducedSize'], 'rtcp.reducedSize', true) };
  optionalText(fields['msid'], 'params.msid');
}

function codecParametersOf(codec: Fields): RtpCodecParameters {
  const payloadType = integerOf(codec['payloadType'], 'codec.payloadType');
  const { kind: _, channels, ...common } = codecOf(codec);
  return { ...common, payloadType, ...(channels === undefined ? {} : { channels }) };
}

function extensionInUse(extension: Fields): RtpHeaderExtensionParameters {
  return {
    uri: textOf(extension['uri'], 'ext.uri'),
    id: integerOf(extension['id'], 'ext.id'),
    encrypt: optionalFlag(extension['encrypt'], 'ext.encrypt', false),
    parameters: extensionParametersOf(extension['parameters']),
  };
}

function encodingOf(encoding: Fields): RtpEncodingParameters {
  optionalInteger(encoding['ssrc'], 'encoding.ssrc');
  optionalText(encoding['rid'], 'encoding.rid');
  optionalText(encoding['scalabilityMode'], 'encoding.scalabilityMode');
  optionalInteger(encoding['codecPayloadType'], 'encoding.codecPayloadType');
  if (encoding['rtx'] !== undefined && encoding['rtx'] !== null) {
    integerOf(objectOf(encoding['rtx'], 'encoding.rtx')['ssrc'], 'encoding.rtx.ssrc');
  }
  // Anything but a boolean counts as not set, as in mediasoup.
  return { ...encoding, dtx: encoding['dtx'] === true };
}

/**
 * Checks how messages of a stream are to be delivered and fills in `ordered`, in place.
 * @throws TypeError naming the wrong member
 */
export function validateAndNormalizeSctpStreamParameters(params: SctpStreamParameters): void {
  const fields = objectOf(params, 'params');
  integerOf(fields['streamId'], 'params.streamId');
  const isOrderGiven = typeof fields['ordered'] === 'boolean';
  const lifeTime = optionalInteger(fields['maxPacketLifeTime'], 'params.maxPacketLifeTime');
  const retransmits = optionalInteger(fields['maxRetransmits'], 'params.maxRetransmits');
  // No limit is 0 here, as in mediasoup: messages that are sent once may be ordered.
  if (lifeTime && retransmits) {
    throw new TypeError('cannot provide both maxPacketLifeTime and maxRetransmits');
  }
  const isLimited = Boolean(lifeTime) || Boolean(retransmits);
  if (isOrderGiven && fields['ordered'] === true && isLimited) {
    throw new TypeError('cannot be ordered with maxPacketLifeTime or maxRetransmits');
  }
  fields['ordered'] = isOrderGiven ? fields['ordered'] : !isLimited;
}
