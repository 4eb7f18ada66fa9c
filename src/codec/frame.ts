import type { Track } from './track.ts';

/**
 * One coded unit of one track: an access unit, an audio frame, or a data message. Immutable once made; many readers
 * share it and none may write into `payload`.
 *
 * `payload` by codec:
 * - h264, h265: NAL units, each behind a big-endian length of as many bytes as the configuration record says
 *   (ISO/IEC 14496-15), parameter sets not repeated unless the publisher did so;
 * - av1: OBUs in low-overhead form without temporal delimiters; vp8, vp9: one frame (superframes whole);
 * - aac: one raw_data_block, no ADTS; mp3, ac3, eac3, flac, opus: one frame or packet as coded;
 * - opaque FLV codecs (`isOpaqueCodec`): the whole FLV tag body, first byte included;
 * - data (`amf0`): the AMF0 values of the message, the name string first.
 */
export interface Frame {
  readonly track: Track;
  /** Decode time on the stream's clock, integer microseconds. Never negative. */
  readonly dtsUs: number;
  /** Presentation time on the stream's clock, integer microseconds; at least `dtsUs` for sane publishers. */
  readonly ptsUs: number;
  /** A decoder may start here. Always true for audio and data. */
  readonly isKeyFrame: boolean;
  readonly payload: Uint8Array;
}
