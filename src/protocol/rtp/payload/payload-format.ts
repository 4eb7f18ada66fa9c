import type { Track } from '../../../codec/track.ts';
import type { Depacketizer } from './depacketizer.ts';
import type { Packetizer } from './packetizer.ts';

/** How a track is named in SDP (`a=rtpmap`, `a=fmtp`; RFC 8866 §6.6, §6.15). */
export interface RtpMapping {
  /** 0–34 static (RFC 3551 §6), 96–127 dynamic. */
  readonly payloadType: number;
  /** As registered, compared without case: `H264`, `MPEG4-GENERIC`. */
  readonly encodingName: string;
  /** RTP timestamp units a second. */
  readonly clockRate: number;
  /** Audio channels; undefined where SDP names none. */
  readonly channels?: number | undefined;
  /** Parameters of `a=fmtp` by lower-case name; one without `=` has the value ''. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** One RTP payload format: both directions between tracks of ours and packets of others. */
export interface PayloadFormat {
  /**
   * How SDP names a track of ours; undefined when this format can't carry it.
   * @param dynamicPayloadType to be used unless the format has a static payload type
   */
  toMapping(track: Track, dynamicPayloadType: number): RtpMapping | undefined;
  /**
   * The packetizer of a track `toMapping` accepted.
   * @param inBandConfig whether key frames that lack the decoder configuration (parameter sets, headers) get it put in
   *   front, where the format has a way: for receivers whose SDP did not tell it, or told another. Default no
   */
  makePacketizer(track: Track, inBandConfig?: boolean): Packetizer;
  /** What SDP of another side names, as a track of ours; undefined when it is not this format. `config` may be empty until the packets bring it. */
  toTrack(mapping: RtpMapping, trackId: number): Track | undefined;
  /** The depacketizer for packets of a mapping `toTrack` accepted. */
  makeDepacketizer(mapping: RtpMapping): Depacketizer;
}
