import type { Codec, Track } from '../codec/track.ts';
import { audioDetails, videoDetails } from '../codec/track-details.ts';
import type { DepacketizedUnit } from '../protocol/rtp/payload/depacketizer.ts';
import type { RtpClock } from '../protocol/rtp/rtp-clock.ts';
import type { Publication } from './publication.ts';
import { DecodeTimes, reorderDepthOf } from './rtp-ingest-decode-times.ts';
import type { UnitSink } from './rtp-ingest-track.ts';

/** Codecs whose frames mean nothing without the configuration record. */
const NEEDS_CONFIG: ReadonlySet<Codec> = new Set<Codec>(['h264', 'h265', 'aac']);

/** Makes frames of the coded units of one track, and tells the publication what the track is. */
export class RtpIngestFrames implements UnitSink {
  readonly #publication: Publication;
  readonly #clock: RtpClock;
  readonly #decodeTimes: DecodeTimes | undefined;
  #track: Track;
  #isAnnounced = false;
  /** Its first frame was looked into for what the configuration does not tell. */
  #isDescribed = false;
  #dropped = 0;

  /** @param track as SDP tells it; its configuration may be empty until the packets bring it */
  constructor(publication: Publication, clock: RtpClock, track: Track) {
    this.#publication = publication;
    this.#clock = clock;
    this.#track = track;
    const depth = reorderDepthOf(track);
    this.#decodeTimes = track.kind === 'video' ? new DecodeTimes(depth, track.video?.frameRate) : undefined;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get malformed(): number {
    return 0;
  }

  /** What is known of the track can be shown to viewers before its first packet comes. */
  announce(): void {
    const isKnown = this.#track.video !== undefined || this.#track.audio !== undefined;
    if (isKnown && !this.#isAnnounced && this.#isUsable()) this.#tell();
  }

  accept(unit: DepacketizedUnit, nowMs: number): void {
    const isOtherCodec = unit.codec !== undefined && unit.codec !== this.#track.codec;
    if (unit.config !== undefined || isOtherCodec) this.#change(unit);
    if (!this.#isDescribed) this.#describe(unit);
    if (!this.#isUsable()) {
      this.#dropped++;
      return;
    }
    if (!this.#isAnnounced) this.#tell();
    const timeUs = this.#clock.toUs(unit.timestamp, nowMs);
    const times = this.#decodeTimes;
    times?.accept(timeUs);
    this.#publication.frame({
      track: this.#track,
      dtsUs: times?.dtsUs ?? timeUs,
      ptsUs: times?.ptsUs ?? timeUs,
      isKeyFrame: unit.isKeyFrame,
      payload: unit.payload,
    });
  }

  restart(): void {
    this.#decodeTimes?.restart();
  }

  end(): void {
    // Nothing waits here.
  }

  #isUsable(): boolean {
    return this.#track.config.length > 0 || !NEEDS_CONFIG.has(this.#track.codec);
  }

  #tell(): void {
    this.#isAnnounced = true;
    this.#publication.track(this.#track);
  }

  #change(unit: DepacketizedUnit): void {
    const { codec, config } = this.#track;
    const changed = { ...this.#track, codec: unit.codec ?? codec, config: unit.config ?? config };
    this.#track = withDetails(changed, unit.payload);
    this.#isAnnounced = false;
    this.#decodeTimes?.configure(reorderDepthOf(this.#track), this.#track.video?.frameRate);
  }

  /** Codecs without a configuration tell in their frames what they are, video in key frames only. */
  #describe(unit: DepacketizedUnit): void {
    const track = this.#track;
    const isKnown = track.video !== undefined || track.audio !== undefined;
    if (!isKnown && !unit.isKeyFrame) return;
    this.#isDescribed = true;
    if (isKnown) return;
    const described = withDetails(track, unit.payload);
    if (described.video === undefined && described.audio === undefined) return;
    this.#track = described;
    this.#isAnnounced = false;
  }
}

/** With what configuration and first frame tell; what was known stays where they tell nothing. */
function withDetails(track: Track, firstFrame?: Uint8Array): Track {
  if (track.kind === 'video') {
    const video = videoDetails(track.codec as VideoTrackCodec, track.config, firstFrame) ?? track.video;
    return video === undefined ? track : { ...track, video };
  }
  const audio = audioDetails(track.codec as AudioTrackCodec, track.config, firstFrame) ?? track.audio;
  return audio === undefined ? track : { ...track, audio };
}

type VideoTrackCodec = Parameters<typeof videoDetails>[0];
type AudioTrackCodec = Parameters<typeof audioDetails>[0];
