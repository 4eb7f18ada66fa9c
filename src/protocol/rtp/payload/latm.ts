import { parseStreamMuxConfig, type StreamMuxConfig } from '../../../codec/aac/stream-mux-config.ts';
import type { Track } from '../../../codec/track.ts';
import { audioDetails } from '../../../codec/track-details.ts';
import { fromHexadecimal } from '../../../wire/hexadecimal.ts';
import type { Depacketizer } from './depacketizer.ts';
import { LatmDepacketizer } from './latm-depacketizer.ts';
import { isNamed, parameterNumber } from './mapping-parameters.ts';
import type { RtpMapping } from './payload-format.ts';

/** The encoding name of AAC in LATM. */
export const LATM_ENCODING_NAME = 'MP4A-LATM';

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** The StreamMuxConfig of `a=fmtp`; `undefined` when it comes in band, as it does unless SDP says otherwise (§7.2). */
function configOf(mapping: RtpMapping): StreamMuxConfig | undefined {
  const isInBand = parameterNumber(mapping, 'cpresent', 0, 1) === 1;
  const bytes = isInBand ? undefined : fromHexadecimal(mapping.parameters.get('config')?.trim() ?? '');
  return bytes && parseStreamMuxConfig(bytes);
}

/**
 * The track of an MP4A-LATM mapping (RFC 6416 §7), with an empty configuration where it comes in band; `undefined` when
 * SDP was to tell it and does not.
 */
export function latmTrack(mapping: RtpMapping, trackId: number): Track | undefined {
  const config = configOf(mapping);
  const isToldInSdp = mapping.parameters.get('cpresent')?.trim() === '0';
  if (!isNamed(mapping, LATM_ENCODING_NAME) || (config === undefined && isToldInSdp)) return undefined;
  const audio = config && audioDetails('aac', config.audioConfig);
  return {
    kind: 'audio',
    trackId,
    codec: 'aac',
    config: config?.audioConfig ?? NO_BYTES,
    ...(audio && { audio }),
  };
}

/** The depacketizer of an MP4A-LATM mapping that makes a track. */
export function latmDepacketizer(mapping: RtpMapping): Depacketizer {
  return new LatmDepacketizer(configOf(mapping), mapping.clockRate);
}
