import { findStartCode } from '../nal-unit.ts';
import type { VideoDetails } from '../track.ts';
import { MPEG4_START_CODE, parseVideoObjectLayer, type VideoObjectLayer } from './headers.ts';

/** Bytes of headers that are looked at. Real ones have some tens, with quantizer matrices some hundred. */
export const MAX_MPEG4_CONFIGURATION_BYTES = 4096;

/** Profiles and levels by the byte behind the visual object sequence start code (ISO/IEC 14496-2 Table G.1), as far as they are met. */
const PROFILES: ReadonlyMap<number, readonly [string, string]> = new Map([
  [0x01, ['Simple', '1']],
  [0x02, ['Simple', '2']],
  [0x03, ['Simple', '3']],
  [0x04, ['Simple', '4a']],
  [0x05, ['Simple', '5']],
  [0x06, ['Simple', '6']],
  [0x08, ['Simple', '0']],
  [0x09, ['Simple', '0b']],
  [0xf0, ['Advanced Simple', '0']],
  [0xf1, ['Advanced Simple', '1']],
  [0xf2, ['Advanced Simple', '2']],
  [0xf3, ['Advanced Simple', '3']],
  [0xf4, ['Advanced Simple', '4']],
  [0xf5, ['Advanced Simple', '5']],
  [0xf7, ['Advanced Simple', '3b']],
]);

/** What headers of MPEG-4 visual tell. */
export interface Mpeg4Configuration {
  /** The headers: what stands in front of the first group or VOP. A view. */
  readonly bytes: Uint8Array;
  readonly layer: VideoObjectLayer;
  /** `profile_and_level_indication`; undefined without a visual object sequence header. */
  readonly profileAndLevel: number | undefined;
}

/**
 * The headers a VOP, a stream or `Track.config` begins with (ISO/IEC 14496-2 §6.2.1–6.2.3); `undefined` when no video object
 * layer that can be read is among the first `MAX_MPEG4_CONFIGURATION_BYTES`.
 */
export function parseMpeg4Configuration(bytes: Uint8Array): Mpeg4Configuration | undefined {
  const looked = bytes.subarray(0, MAX_MPEG4_CONFIGURATION_BYTES);
  if (findStartCode(looked, 0) !== 0) return undefined;
  let layer: VideoObjectLayer | undefined;
  let profileAndLevel: number | undefined;
  let end = looked.length;
  for (let at = 0; at + 3 < looked.length; at = findStartCode(looked, at + 3)) {
    const code = looked[at + 3]!;
    if (code === MPEG4_START_CODE.groupOfVop || code === MPEG4_START_CODE.vop) {
      end = at;
      break;
    }
    if (code === MPEG4_START_CODE.visualObjectSequence) profileAndLevel ??= looked[at + 4];
    if (code >= MPEG4_START_CODE.firstVideoObjectLayer && code <= MPEG4_START_CODE.lastVideoObjectLayer) {
      layer ??= parseVideoObjectLayer(looked.subarray(at + 4));
    }
  }
  return layer && { bytes: looked.subarray(0, end), layer, profileAndLevel };
}

/** What the headers tell about the pictures; `undefined` for other than rectangular ones. */
export function mpeg4Details({ layer, profileAndLevel }: Mpeg4Configuration): VideoDetails | undefined {
  const { width, height, fixedTimeIncrement, timeIncrementResolution } = layer;
  if (width === undefined || height === undefined) return undefined;
  const frameRate = fixedTimeIncrement && timeIncrementResolution / fixedTimeIncrement;
  const [profile, level] = PROFILES.get(profileAndLevel ?? 0) ?? ['MPEG-4 visual', ''];
  return {
    width,
    height,
    ...(frameRate !== undefined && { frameRate }),
    profile,
    level,
    codecString: profileAndLevel === undefined ? 'mp4v.20' : `mp4v.20.${profileAndLevel}`,
  };
}

/**
 * Whether the first VOP of a payload is an I-VOP (§6.2.5: `vop_coding_type` 0), so that a decoder that has the headers may
 * start there. False without a VOP.
 */
export function isMpeg4KeyFrame(payload: Uint8Array): boolean {
  for (let at = findStartCode(payload, 0); at + 4 < payload.length; at = findStartCode(payload, at + 3)) {
    if (payload[at + 3] === MPEG4_START_CODE.vop) return payload[at + 4]! >>> 6 === 0;
  }
  return false;
}
