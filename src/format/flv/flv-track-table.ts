import { sampleAudioDetails } from '../../codec/sample-audio.ts';
import { type AudioCodec, isOpaqueCodec, type Track, type VideoCodec } from '../../codec/track.ts';
import { audioDetails, videoDetails } from '../../codec/track-details.ts';
import { equalBytes } from '../../wire/equal-bytes.ts';
import type { FlvDemuxEvent } from './flv-demux-event.ts';

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** The only rate of G.711 in FLV, Hz. */
const SAMPLES_PER_SECOND = 8000;

/** Largest configuration record or video metadata kept, bytes. Real ones are below 1 KiB. */
export const MAX_TRACK_CONFIG_BYTES = 65_536;

/** Smallest configuration record that says anything at all, in bytes; 1 where there is no such size. */
function minimumConfigSize(codec: VideoCodec | AudioCodec): number {
  switch (codec) {
    case 'h264':
      return 7;
    case 'h265':
      return 23;
    case 'av1':
      return 4;
    case 'aac':
      return 2;
    default:
      return 1;
  }
}

/** Whether frames of this codec mean nothing to a decoder that has not seen the configuration record. */
function needsConfig(codec: VideoCodec | AudioCodec): boolean {
  return codec === 'h264' || codec === 'h265' || codec === 'aac';
}

/**
 * What of an MPEG audio frame header (ISO/IEC 11172-3 §2.4.1.3) stays the same while the format does: version, layer,
 * sampling frequency, and mono or not. Zero for other codecs.
 */
function inBandFormat(codec: VideoCodec | AudioCodec, frame: Uint8Array): number {
  if (codec !== 'mp3' || frame.length < 4) return 0;
  return ((frame[1]! & 0x1e) << 3) | (frame[2]! & 0x0c) | ((frame[3]! & 0xc0) === 0xc0 ? 1 : 0);
}

/** The video or the audio tracks of one FLV or RTMP publisher, by track id (0–255, so at most 256 of them). */
export class FlvTrackTable {
  readonly #kind: 'video' | 'audio';
  readonly #tracks: Map<number, Track> = new Map();
  readonly #inBandFormats: Map<number, number> = new Map();
  readonly #videoMetadata: Map<number, Uint8Array> = new Map();

  constructor(kind: 'video' | 'audio') {
    this.#kind = kind;
  }

  get(trackId: number): Track | undefined {
    return this.#tracks.get(trackId);
  }

  /** Takes a configuration record, which is copied. */
  configure(trackId: number, codec: VideoCodec | AudioCodec, config: Uint8Array): FlvDemuxEvent {
    if (config.length < minimumConfigSize(codec) || config.length > MAX_TRACK_CONFIG_BYTES) {
      return { type: 'malformed', reason: 'bad-config' };
    }
    const current = this.#tracks.get(trackId);
    if (current !== undefined && current.codec === codec && equalBytes(current.config, config)) {
      return { type: 'repeated-config', track: current };
    }
    return { type: 'track', track: this.#set(trackId, codec, config.slice(), undefined) };
  }

  /**
   * The track that a coded frame belongs to. One that needs no configuration comes into being here (and is told to
   * `events`); one whose format only the frames tell is told again when they do.
   */
  forFrame(
    trackId: number,
    codec: VideoCodec | AudioCodec,
    payload: Uint8Array,
    isKeyFrame: boolean,
    events: FlvDemuxEvent[],
  ): Track | undefined {
    const current = this.#tracks.get(trackId);
    if (current?.codec === codec) {
      if (!this.#saysMore(current, payload, isKeyFrame)) return current;
    } else if (needsConfig(codec)) {
      events.push({ type: 'ignored', reason: 'frame-before-config' });
      return undefined;
    }
    const config = current?.codec === codec ? current.config : NO_BYTES;
    const track = this.#set(trackId, codec, config, isKeyFrame ? payload : undefined);
    this.#inBandFormats.set(trackId, inBandFormat(codec, payload));
    events.push({ type: 'track', track });
    return track;
  }

  /** Track 0 for samples of 8 kHz and as many channels as the tag's flags say; told to `events` when it is a new one. */
  forSamples(codec: 'g711a' | 'g711u', channels: number, events: FlvDemuxEvent[]): Track {
    const current = this.#tracks.get(0);
    if (current?.codec === codec && current.audio?.channels === channels) return current;
    const audio = sampleAudioDetails(codec, SAMPLES_PER_SECOND, channels);
    const track: Track = { kind: 'audio', trackId: 0, codec, config: NO_BYTES, audio };
    this.#tracks.set(0, track);
    events.push({ type: 'track', track });
    return track;
  }

  /** Whether a frame tells something of its track that is not known yet. */
  #saysMore(track: Track, payload: Uint8Array, isKeyFrame: boolean): boolean {
    const { codec } = track;
    if (codec === 'mp3') return this.#inBandFormats.get(track.trackId) !== inBandFormat(codec, payload);
    // The picture size of vp8 and vp9 stands in key frames only.
    const isUnknown = track.kind === 'video' && track.video === undefined && isKeyFrame;
    return isUnknown && !isOpaqueCodec(codec) && videoDetails(codec as VideoCodec, track.config, payload) !== undefined;
  }

  /** Takes the AMF0 values of an Enhanced RTMP video metadata packet, kept for a track that is yet to come. */
  describe(trackId: number, metadata: Uint8Array): FlvDemuxEvent | undefined {
    if (metadata.length > MAX_TRACK_CONFIG_BYTES) return { type: 'malformed', reason: 'bad-metadata' };
    const current = this.#tracks.get(trackId);
    const known = this.#videoMetadata.get(trackId);
    if (known !== undefined && equalBytes(known, metadata)) {
      return current === undefined ? undefined : { type: 'repeated-config', track: current };
    }
    const videoMetadata = metadata.slice();
    this.#videoMetadata.set(trackId, videoMetadata);
    if (current === undefined) return undefined;
    const track: Track = { ...current, videoMetadata };
    this.#tracks.set(trackId, track);
    return { type: 'track', track };
  }

  #set(trackId: number, codec: VideoCodec | AudioCodec, config: Uint8Array, firstFrame: Uint8Array | undefined): Track {
    const track =
      this.#kind === 'video'
        ? this.#video(trackId, codec as VideoCodec, config, firstFrame)
        : this.#audio(trackId, codec as AudioCodec, config, firstFrame);
    this.#tracks.set(trackId, track);
    return track;
  }

  #video(trackId: number, codec: VideoCodec, config: Uint8Array, firstFrame: Uint8Array | undefined): Track {
    const video = isOpaqueCodec(codec) ? undefined : videoDetails(codec, config, firstFrame);
    const videoMetadata = this.#videoMetadata.get(trackId);
    return {
      kind: 'video',
      trackId,
      codec,
      config,
      ...(video === undefined ? {} : { video }),
      ...(videoMetadata === undefined ? {} : { videoMetadata }),
    };
  }

  #audio(trackId: number, codec: AudioCodec, config: Uint8Array, firstFrame: Uint8Array | undefined): Track {
    const audio = isOpaqueCodec(codec) ? undefined : audioDetails(codec, config, firstFrame);
    return { kind: 'audio', trackId, codec, config, ...(audio === undefined ? {} : { audio }) };
  }
}
