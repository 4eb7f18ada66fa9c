import { parseAvcDecoderConfiguration } from '../../codec/h264/avc-decoder-configuration.ts';
import { parseH264Sps } from '../../codec/h264/sequence-parameter-set.ts';
import { findHevcNalUnit, parseHevcDecoderConfiguration } from '../../codec/h265/hevc-decoder-configuration.ts';
import { H265_NAL } from '../../codec/h265/nal-unit-type.ts';
import { parseH265Sps } from '../../codec/h265/sequence-parameter-set.ts';
import type { Track } from '../../codec/track.ts';

/** Whether pictures of this codec may be decoded before others that are shown before them. */
export function mayReorder(track: Track): boolean {
  const { codec } = track;
  return codec === 'h264' || codec === 'h265' || codec === 'mpeg-video' || codec === 'mp4v';
}

/** By how many pictures a track says that it reorders; 0 when it does not say. */
export function declaredReorderDepth(track: Track): number {
  if (track.codec === 'h264') {
    const nalUnit = parseAvcDecoderConfiguration(track.config)?.sequenceParameterSets[0];
    const sps = nalUnit && parseH264Sps(nalUnit);
    return sps?.vui?.bitstreamRestriction?.maxNumReorderFrames ?? 0;
  }
  if (track.codec === 'h265') {
    const record = parseHevcDecoderConfiguration(track.config);
    const nalUnit = record && findHevcNalUnit(record, H265_NAL.sps);
    return (nalUnit && parseH265Sps(nalUnit)?.maxNumReorderPics) ?? 0;
  }
  return 0;
}
