import { refusedViewer, type StreamViewer } from '../../media/audience.ts';
import type { Clock } from '../../media/clock.ts';
import type { ContainerWriter } from '../../media/container-writer.ts';
import type { FirstPacket } from '../../media/renditions/rtp-framing.ts';
import { type RtpPresentation, type RtpTrack, toRtpTimestamp } from '../../media/renditions/rtp-presentation.ts';
import { RtpContainerWriter } from '../../media/renditions/rtp-rendition.ts';
import { RtpSenderClock } from '../../media/renditions/rtp-sender-clock.ts';
import { RtpTsContainerWriter } from '../../media/renditions/rtp-ts-rendition.ts';
import type { Stream } from '../../media/stream.ts';
import type { Framing, ViewerSink } from '../../media/viewer.ts';
import { type LiveBegin, type LivePackets, LivePlayback } from './live-playback.ts';
import { describeMedia } from './media-description.ts';
import type { DescribeContext, MediaSession, Playback, PlaybackOptions } from './media-session.ts';
import { SenderReports } from './sender-reports.ts';
import type { SrtpProtection } from './srtp-protection.ts';

/** How a live stream is sent: each track by itself, or all of them in a transport stream. */
export type LiveForm = 'tracks' | 'ts';

export interface LiveMediaSessionOptions {
  /** Key in the registry. */
  readonly name: string;
  readonly stream: Stream;
  readonly form: LiveForm;
  readonly presentation: RtpPresentation;
  readonly clock: Clock;
  /** Names the server in RTCP and SDP: the same for all tracks, another one for each stream. */
  readonly cname: string;
  readonly maxPacketBytes: number | undefined;
  /** Makes SRTP of what is sent. */
  readonly protection: SrtpProtection | undefined;
  /** The stream became something the description does not tell. */
  readonly onOutdated: () => void;
  readonly onUnreferenced: () => void;
}

/** A live stream as RTSP clients see it, under one description. A stream whose codecs change is another one. */
export class LiveMediaSession implements MediaSession, LivePackets {
  readonly name: string;
  readonly stream: Stream;
  readonly form: LiveForm;
  readonly presentation: RtpPresentation;
  readonly isSameForAll = true;
  readonly onUnreferenced: () => void;
  readonly #options: LiveMediaSessionOptions;
  readonly #senderClock: RtpSenderClock;
  readonly #reports: SenderReports;

  constructor(options: LiveMediaSessionOptions) {
    this.#options = options;
    this.name = options.name;
    this.stream = options.stream;
    this.form = options.form;
    this.presentation = options.presentation;
    this.onUnreferenced = options.onUnreferenced;
    this.#senderClock = new RtpSenderClock(options.clock, Date.now());
    const { presentation, clock, cname, protection } = options;
    const protect = protection === undefined ? undefined : (packet: Uint8Array) => protection.protectRtcp(packet);
    this.#reports = new SenderReports(presentation, this.#senderClock, clock, cname, protect);
  }

  get isTransportStream(): boolean {
    return this.form === 'ts';
  }

  isProtected(): boolean {
    return this.#options.protection !== undefined;
  }

  /** MIKEY message with the key of a track, as the description tells it; undefined when it is sent in clear. */
  keyMessageOf(track: number): Uint8Array | undefined {
    return this.#options.protection?.keyMessageOf(this.ssrcOf(track));
  }

  get trackCount(): number {
    return this.presentation.tracks.length;
  }

  /** Whether a description made now would be this one. */
  isCurrent(stream: Stream): boolean {
    return stream === this.stream && (this.form === 'ts' || this.presentation.isWholeFor(stream.header));
  }

  ssrcOf(track: number): number {
    return this.presentation.tracks[track]!.ssrc;
  }

  describe(context: DescribeContext): string {
    const { protection } = this.#options;
    return describeMedia(
      {
        name: this.name,
        id: String(this.presentation.tracks[0]!.ssrc),
        tracks: this.presentation.tracks,
        range: 'npt=now-',
        multicast: context.multicast,
        keyMessageOf: protection && ((track) => protection.keyMessageOf(this.ssrcOf(track))),
      },
      context,
    );
  }

  openPlayback(options: PlaybackOptions): Playback {
    return new LivePlayback(this, options, this.#options.clock);
  }

  view(framing: Framing, sink: ViewerSink): StreamViewer {
    // It ended since it was described: nobody would tell a viewer that nothing comes any more.
    if (this.stream.state === 'idle') return refusedViewer(sink, 'stream-ended');
    return this.stream.view({
      // A presentation that is no longer the stream's may have viewers beside those of the new one.
      rendition: `rtp:${this.presentation.tracks[0]!.ssrc.toString(16)}`,
      makeWriter: () => this.#makeWriter(),
      framing,
      sink,
    });
  }

  report(track: number, streamUs: number | undefined): Uint8Array {
    return streamUs === undefined ? this.#reports.report(track) : this.#reports.reportAt(track, streamUs);
  }

  bye(track: number): Uint8Array {
    return this.#reports.bye(track);
  }

  /**
   * The moment of the earliest first packet. All timestamps told are those of this one moment, so that players have the
   * tracks in step from the beginning.
   */
  beginsOf(firstPackets: readonly (FirstPacket | undefined)[]): LiveBegin | undefined {
    const nowUs = this.#senderClock.now().streamUs;
    let streamUs = Number.POSITIVE_INFINITY;
    for (const [i, packet] of firstPackets.entries()) {
      if (packet !== undefined) streamUs = Math.min(streamUs, timeOf(this.presentation.tracks[i]!, packet, nowUs));
    }
    if (streamUs === Number.POSITIVE_INFINITY) return undefined;
    const tracks = this.presentation.tracks.map((rtp, track) => ({
      track,
      sequenceNumber: firstPackets[track]?.sequenceNumber,
      timestamp: toRtpTimestamp(rtp, streamUs) >>> 0,
    }));
    return { streamUs, tracks };
  }

  #makeWriter(): ContainerWriter {
    const { presentation, maxPacketBytes, onOutdated } = this.#options;
    const shared = {
      presentation,
      clock: this.#senderClock,
      maxPacketBytes,
      protector: this.#options.protection?.sender,
    };
    if (this.form === 'ts') return new RtpTsContainerWriter(shared);
    const writer = new RtpContainerWriter({ ...shared, bundles: true, onOutdated });
    // The rendition is fed what is in the log at once.
    this.#options.clock.soon(() => writer.goLive());
    return writer;
  }
}

/** Stream time of a packet not more than some hours from now: 32 bits do not tell more. */
function timeOf(rtp: RtpTrack, packet: FirstPacket, nowUs: number): number {
  const ahead = (packet.timestamp - (toRtpTimestamp(rtp, nowUs) >>> 0)) | 0;
  const clockRate = rtp.mapping.clockRate;
  const units = Math.round((nowUs * clockRate) / 1_000_000) + ahead;
  return (units * 1_000_000) / clockRate;
}
