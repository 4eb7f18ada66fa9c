import { parseAudioSpecificConfig } from '../../codec/aac/audio-specific-config.ts';
import { type Codec, type Track, trackSlot } from '../../codec/track.ts';
import type { RtpMapping } from '../../protocol/rtp/payload/payload-format.ts';
import { mappingOf } from '../../protocol/rtp/payload/payload-formats.ts';
import type { StreamHeader } from '../stream-header.ts';
import type { RtpTrackState } from './rtp-packet-writer.ts';

/** First dynamic payload type (RFC 3551 §3). */
const FIRST_DYNAMIC_PAYLOAD_TYPE = 96;

/** Most tracks of one presentation: as many as have interleaved channels (two each) and dynamic payload types. */
export const MAX_RTP_TRACKS = 32;

/** Codecs whose key frames can bring a new configuration along, so that a player need not be told outside of them. */
const CONFIGURED_IN_BAND: ReadonlySet<Codec> = new Set<Codec>(['h264', 'h265', 'av1', 'vp8', 'vp9', 'mpeg-video']);

/** One track of a presentation: what SDP says of it, and how far its packets are numbered. */
export interface RtpTrack extends RtpTrackState {
  /** As it was when the presentation was made: what SDP tells players of it. */
  readonly track: Track;
  readonly mapping: RtpMapping;
  /** RTP timestamp of stream time 0. */
  readonly timestampOffset: number;
  /** RTP clock units of one coded unit where all are equally long, else 0. */
  readonly unitDuration: number;
}

/** What the packets of a track are numbered by, and what was counted of them. */
export type RtpNumbers = Pick<RtpTrack, 'ssrc' | 'sequenceNumber' | 'timestampOffset' | 'packets' | 'payloadBytes'>;

/** 32 random bits, unpredictable (RFC 3550 §5.1, §8). */
export type Random32 = () => number;

/**
 * A stream as RTP players know it: its tracks in the order of the SDP, each with its SSRC, payload type and place in
 * the numbering. It outlives the renditions made for it, so that sequence numbers go on.
 */
export class RtpPresentation {
  readonly tracks: readonly RtpTrack[];
  readonly #bySlot = new Map<number, RtpTrack>();

  private constructor(tracks: readonly RtpTrack[]) {
    this.tracks = tracks;
    for (const rtp of tracks) this.#bySlot.set(trackSlot(rtp.track), rtp);
  }

  /** The tracks of a header that RTP can carry; undefined when there are none. */
  static of(header: StreamHeader, random: Random32): RtpPresentation | undefined {
    const tracks: RtpTrack[] = [];
    const ssrcs = new Set<number>();
    for (const track of header.tracks) {
      if (tracks.length === MAX_RTP_TRACKS) break;
      const mapping = mappingOf(track, FIRST_DYNAMIC_PAYLOAD_TYPE + tracks.length);
      if (mapping === undefined) continue;
      let ssrc = random() >>> 0;
      while (ssrc === 0 || ssrcs.has(ssrc)) ssrc = random() >>> 0;
      ssrcs.add(ssrc);
      tracks.push({
        track,
        mapping,
        channel: tracks.length * 2,
        payloadType: mapping.payloadType,
        ssrc,
        sequenceNumber: random() & 0xffff,
        timestampOffset: random() >>> 0,
        unitDuration: unitDurationOf(track, mapping),
        packets: 0,
        payloadBytes: 0,
      });
    }
    return tracks.length === 0 ? undefined : new RtpPresentation(tracks);
  }

  /**
   * One track alone under the payload type another side gave it, numbered on from where `numbers` are; undefined when RTP
   * can't carry it.
   */
  static ofTrack(track: Track, payloadType: number, numbers: RtpNumbers): RtpPresentation | undefined {
    const mapping = mappingOf(track, payloadType);
    if (mapping === undefined) return undefined;
    const unitDuration = unitDurationOf(track, mapping);
    return new RtpPresentation([{ track, mapping, channel: 0, payloadType, ...numbers, unitDuration }]);
  }

  /** The track of the presentation that stands for a track of the stream now. */
  trackFor(track: Track): RtpTrack | undefined {
    return this.#bySlot.get(trackSlot(track));
  }

  /**
   * Whether frames under this header still are what the SDP said: a track that is there has the mapping it had, but for
   * configurations that go with key frames. Tracks that are missing may still come, and further ones are not sent.
   */
  isTrueFor(header: StreamHeader): boolean {
    return header.tracks.every((track) => {
      const rtp = this.trackFor(track);
      return rtp === undefined || isSameFormat(rtp, track);
    });
  }

  /** Whether the header has the very tracks of this presentation: a new SDP would promise nothing else. */
  isWholeFor(header: StreamHeader): boolean {
    if (!this.isTrueFor(header)) return false;
    const carried = header.tracks.filter((track) => mappingOf(track, FIRST_DYNAMIC_PAYLOAD_TYPE) !== undefined);
    return carried.length === this.tracks.length && carried.every((track) => this.trackFor(track) !== undefined);
  }
}

/** RTP timestamp of stream time `timeUs` on the track's clock, before it is taken modulo 2^32. */
export function toRtpTimestamp(rtp: RtpTrack, timeUs: number): number {
  return rtp.timestampOffset + Math.round((timeUs * rtp.mapping.clockRate) / 1_000_000);
}

/** Whether frames of `track` are what the SDP says of `rtp`. */
export function isSameFormat(rtp: RtpTrack, track: Track): boolean {
  if (track === rtp.track) return true;
  if (track.codec !== rtp.track.codec) return false;
  const mapping = mappingOf(track, rtp.payloadType);
  if (mapping === undefined) return false;
  const { encodingName, clockRate, channels, payloadType } = rtp.mapping;
  if (mapping.encodingName !== encodingName || mapping.payloadType !== payloadType) return false;
  if (mapping.clockRate !== clockRate || mapping.channels !== channels) return false;
  return CONFIGURED_IN_BAND.has(track.codec) || hasSameParameters(mapping, rtp.mapping);
}

function hasSameParameters(a: RtpMapping, b: RtpMapping): boolean {
  if (a.parameters.size !== b.parameters.size) return false;
  for (const [name, value] of a.parameters) if (b.parameters.get(name) !== value) return false;
  return true;
}

function unitDurationOf(track: Track, mapping: RtpMapping): number {
  if (track.codec === 'ac3') return 1536;
  if (track.codec !== 'aac') return 0;
  const config = parseAudioSpecificConfig(track.config);
  if (config === undefined) return 0;
  // In units of the clock that SDP names, which with SBR may be that of the core or of the output.
  const duration = (config.frameLength * mapping.clockRate) / config.sampleRate;
  return Number.isInteger(duration) ? duration : 0;
}
