import type { Track } from './track.ts';

/**
 * One coded unit of one track: an access unit, an audio frame, or a data message. Immutable once made; many readers
 * share it and none may write into `payload`.
 *
 * `payload` by codec:
 * - h264, h265: NAL units, each behind a big-endian length of as many bytes as the configuration record says
 *   (ISO/IEC 14496-15), parameter sets not repeated unless the publisher did so;
 * - av1: OBUs in low-overhead form without temporal delimiters; vp8, vp9: one frame (superframes whole);
 * - mpeg-video: one picture with the headers in front of it; mp4v: one VOP with the headers in front of it; theora,
 *   vorbis: one packet; dv: one DIF frame; jpeg: one JFIF image; mp2t: whole 188-byte transport packets;
 * - aac: one raw_data_block, no ADTS; mp2, mp3, ac3, eac3, flac, opus: one frame or packet as coded;
 * - g711a, g711u, g722, l8, l16, l20, l24 (network byte order, channels interleaved): samples; dvi4: one RTP payload
 *   (RFC 3551 §4.5.1); amr, amr-wb: one frame of the storage format with its frame header byte (RFC 4867 §5.3);
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
