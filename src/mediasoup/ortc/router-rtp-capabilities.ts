import { UnsupportedError } from '../errors.ts';
import type { NormalizedRtpCapabilities, RouterRtpCodecCapability, RtpCodecCapability } from '../rtp-parameters.ts';
import { matchCodecs } from './codec-match.ts';
import { dynamicPayloadTypes } from './supported-rtp-capabilities.tables.ts';
import { getSupportedRtpCapabilities } from './supported-rtp-capabilities.ts';
import { validateRouterCodec } from './validate-parameters.ts';

/**
 * What a router with these codecs can receive and send: each codec with a payload type, video codecs each followed by its
 * RTX, and every header extension.
 * @throws TypeError for wrong codecs and payload types used twice
 * @throws UnsupportedError for a codec nobody knows
 */
export function generateRouterRtpCapabilities(mediaCodecs: RouterRtpCodecCapability[] = []): NormalizedRtpCapabilities {
  if (!Array.isArray(mediaCodecs)) throw new TypeError('mediaCodecs must be an Array');
  const supported = getSupportedRtpCapabilities();
  // Normalized, so that one channel said and one meant are the same.
  const knownCodecs = supported.codecs.map((codec) => validateRouterCodec(codec));
  const free = [...dynamicPayloadTypes];
  const codecs: RtpCodecCapability[] = [];
  for (const mediaCodec of mediaCodecs) {
    const wanted = validateRouterCodec(mediaCodec);
    const known = knownCodecs.find((codec) => matchCodecs(wanted, codec));
    if (known === undefined) throw new UnsupportedError(`media codec not supported [mimeType:${wanted.mimeType}]`);
    const payloadType = wanted.preferredPayloadType ?? known.preferredPayloadType ?? takeFree(free);
    const at = free.indexOf(payloadType);
    if (at >= 0) free.splice(at, 1);
    if (codecs.some((codec) => codec.preferredPayloadType === payloadType)) {
      throw new TypeError('duplicated codec.preferredPayloadType');
    }
    codecs.push({
      ...known,
      preferredPayloadType: payloadType,
      parameters: { ...known.parameters, ...wanted.parameters },
    });
    if (known.kind !== 'video') continue;
    codecs.push({
      kind: 'video',
      mimeType: 'video/rtx',
      preferredPayloadType: takeFree(free),
      clockRate: known.clockRate,
      parameters: { apt: payloadType },
      rtcpFeedback: [],
    });
  }
  return { codecs, headerExtensions: supported.headerExtensions };
}

function takeFree(free: number[]): number {
  const payloadType = free.shift();
  if (payloadType === undefined) throw new UnsupportedError('cannot allocate more dynamic codec payload types');
  return payloadType;
}
