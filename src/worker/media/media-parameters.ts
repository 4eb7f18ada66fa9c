import type { ConsumerLayers } from '../../sfu/consumers/consumer.ts';
import type { SctpStreamParameters } from '../../sfu/data/data-producer.ts';
import type {
  ConsumableEncoding,
  MediaKind,
  RtpCodecParameters,
  RtpEncodingParameters,
  RtpHeaderExtensionParameters,
  RtpMapping,
  RtpParameters,
  StreamsType,
} from '../../sfu/transports/rtp-parameters.ts';
import type { SrtpParameters } from '../../sfu/transports/srtp-parameters.ts';
import type { DtlsFingerprint, DtlsParameters } from '../../sfu/transports/webrtc-transport.ts';
import { RequestData } from './request-data.ts';

/**
 * What control tells of media, looked at field by field before it reaches the packet path, where nothing is looked at any
 * more. Fields that are left out, or null, are left out of what is read; those nobody knows too.
 */

/** Most codecs, header extensions or kinds of feedback of one side. */
const MAX_LISTED = 255;
/** Most encodings of one consumer; producers have a limit of their own. */
const MAX_CONSUMER_ENCODINGS = 255;
const MAX_SSRC = 0xffff_ffff;
const MAX_PAYLOAD_TYPE = 127;
const MAX_EXTENSION_ID = 255;
const MAX_CLOCK_RATE = 0xffff_ffff;
const MAX_CHANNELS = 255;
const MAX_STREAM_ID = 65_534;
const MAX_SCTP_LIMIT = 65_535;
/** Layers above those there are stand for the highest. */
const MAX_LAYER = 65_535;
/** Subchannels of data are numbers of 16 bits. */
export const MAX_SUBCHANNEL = 65_535;

const STREAMS_TYPES: readonly StreamsType[] = ['simple', 'simulcast', 'svc', 'pipe'];
const DTLS_ROLES: readonly NonNullable<DtlsParameters['role']>[] = ['auto', 'client', 'server'];

/** Without what is undefined. */
type Given<T> = { [K in keyof T]-?: Exclude<T[K], undefined> | (undefined extends T[K] ? undefined : never) };

function given<T extends object>(fields: Given<T>): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** `audio` or `video`. @throws TypeError */
export function readMediaKind(fields: RequestData): MediaKind {
  const kind = fields.text('kind');
  if (kind !== 'audio' && kind !== 'video') throw new TypeError(`invalid kind ${kind}`);
  return kind;
}

/** How a consumer's streams are made up. @throws TypeError */
export function readStreamsType(fields: RequestData): StreamsType {
  const type = fields.text('type');
  const known = STREAMS_TYPES.find((one) => one === type);
  if (known === undefined) throw new TypeError(`invalid type ${type}`);
  return known;
}

/** `rtpParameters`. @throws TypeError */
export function readRtpParameters(fields: RequestData): RtpParameters {
  const params = new RequestData(fields.object('rtpParameters'));
  const rtcp = params.optionalObject<object>('rtcp');
  const codecs = params.objects('codecs', MAX_LISTED).map(codecOf);
  // Those of RTX repeat others.
  if (codecs.every(({ mimeType }) => mimeType.toLowerCase().endsWith('/rtx'))) throw new TypeError('missing codecs');
  return given<RtpParameters>({
    mid: params.optionalText('mid'),
    codecs,
    headerExtensions: params.has('headerExtensions')
      ? params.objects('headerExtensions', MAX_LISTED).map(headerExtensionOf)
      : undefined,
    encodings: params.has('encodings')
      ? params.objects('encodings', MAX_CONSUMER_ENCODINGS).map(encodingOf)
      : undefined,
    rtcp: rtcp === undefined ? undefined : rtcpOf(new RequestData(rtcp)),
    msid: params.optionalText('msid'),
  });
}

/** `rtpMapping`. @throws TypeError */
export function readRtpMapping(fields: RequestData): RtpMapping {
  const mapping = new RequestData(fields.object('rtpMapping'));
  return {
    codecs: mapping.objects('codecs', MAX_LISTED).map((codec) => ({
      payloadType: codec.integer('payloadType', MAX_PAYLOAD_TYPE),
      mappedPayloadType: codec.integer('mappedPayloadType', MAX_PAYLOAD_TYPE),
    })),
    encodings: mapping.objects('encodings', MAX_CONSUMER_ENCODINGS).map((encoding) =>
      given<RtpMapping['encodings'][number]>({
        ssrc: encoding.optionalInteger('ssrc', MAX_SSRC),
        rid: encoding.optionalText('rid'),
        mappedSsrc: encoding.integer('mappedSsrc', MAX_SSRC),
      }),
    ),
  };
}

/** `consumableRtpEncodings`. @throws TypeError */
export function readConsumableEncodings(fields: RequestData): readonly ConsumableEncoding[] {
  return fields.objects('consumableRtpEncodings', MAX_CONSUMER_ENCODINGS).map((encoding) => {
    return { ...encodingOf(encoding), ssrc: encoding.integer('ssrc', MAX_SSRC) };
  });
}

/** `spatialLayer` and `temporalLayer`. @throws TypeError */
export function readLayers(layers: RequestData): ConsumerLayers {
  return given<ConsumerLayers>({
    spatialLayer: layers.integer('spatialLayer', MAX_LAYER),
    temporalLayer: layers.optionalInteger('temporalLayer', MAX_LAYER),
  });
}

/** `sctpStreamParameters`, where there are any. @throws TypeError */
export function readSctpStreamParameters(fields: RequestData): SctpStreamParameters | undefined {
  const value = fields.optionalObject<object>('sctpStreamParameters');
  if (value === undefined) return undefined;
  const stream = new RequestData(value);
  return given<SctpStreamParameters>({
    streamId: stream.integer('streamId', MAX_STREAM_ID),
    ordered: stream.has('ordered') ? stream.flag('ordered', true) : undefined,
    maxPacketLifeTime: stream.optionalInteger('maxPacketLifeTime', MAX_SCTP_LIMIT),
    maxRetransmits: stream.optionalInteger('maxRetransmits', MAX_SCTP_LIMIT),
  });
}

/** `srtpParameters`, where there are any. @throws TypeError */
export function readSrtpParameters(fields: RequestData): SrtpParameters | undefined {
  const value = fields.optionalObject<object>('srtpParameters');
  if (value === undefined) return undefined;
  const parameters = new RequestData(value);
  return { cryptoSuite: parameters.text('cryptoSuite'), keyBase64: parameters.text('keyBase64') };
}

/** `dtlsParameters`. @throws TypeError */
export function readDtlsParameters(fields: RequestData): DtlsParameters {
  const params = new RequestData(fields.object('dtlsParameters'));
  const role = params.optionalText('role') ?? 'auto';
  const known = DTLS_ROLES.find((one) => one === role);
  if (known === undefined) throw new TypeError(`invalid role ${role}`);
  return {
    role: known,
    fingerprints: params.objects('fingerprints', MAX_LISTED).map((fingerprint) => ({
      algorithm: fingerprint.text('algorithm') as DtlsFingerprint['algorithm'],
      value: fingerprint.text('value'),
    })),
  };
}

function codecOf(codec: RequestData): RtpCodecParameters {
  return given<RtpCodecParameters>({
    mimeType: codec.text('mimeType'),
    payloadType: codec.integer('payloadType', MAX_PAYLOAD_TYPE),
    clockRate: codec.integer('clockRate', MAX_CLOCK_RATE, 1),
    channels: codec.optionalInteger('channels', MAX_CHANNELS),
    parameters: codec.optionalObject<Record<string, unknown>>('parameters'),
    rtcpFeedback: codec.has('rtcpFeedback')
      ? codec.objects('rtcpFeedback', MAX_LISTED).map((feedback) => ({
          type: feedback.text('type'),
          parameter: feedback.optionalText('parameter') ?? '',
        }))
      : undefined,
  });
}

function headerExtensionOf(extension: RequestData): RtpHeaderExtensionParameters {
  return given<RtpHeaderExtensionParameters>({
    uri: extension.text('uri'),
    id: extension.integer('id', MAX_EXTENSION_ID, 1),
    encrypt: extension.has('encrypt') ? extension.flag('encrypt', false) : undefined,
    parameters: extension.optionalObject<Record<string, unknown>>('parameters'),
  });
}

function encodingOf(encoding: RequestData): RtpEncodingParameters {
  const rtx = encoding.optionalObject<object>('rtx');
  return given<RtpEncodingParameters>({
    ssrc: encoding.optionalInteger('ssrc', MAX_SSRC),
    rid: encoding.optionalText('rid'),
    codecPayloadType: encoding.optionalInteger('codecPayloadType', MAX_PAYLOAD_TYPE),
    rtx: rtx === undefined ? undefined : { ssrc: new RequestData(rtx).integer('ssrc', MAX_SSRC) },
    dtx: encoding.has('dtx') ? encoding.flag('dtx', false) : undefined,
    scalabilityMode: encoding.optionalText('scalabilityMode'),
    maxBitrate: encoding.number('maxBitrate'),
  });
}

function rtcpOf(rtcp: RequestData): NonNullable<RtpParameters['rtcp']> {
  return given<NonNullable<RtpParameters['rtcp']>>({
    cname: rtcp.optionalText('cname'),
    reducedSize: rtcp.has('reducedSize') ? rtcp.flag('reducedSize', true) : undefined,
  });
}
