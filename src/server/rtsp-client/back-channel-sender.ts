import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';
import { nodeClock } from '../../io/node-clock.ts';
import { interleavedBytes } from '../../media/renditions/rtp-framing.ts';
import { INTERLEAVED_HEADER_BYTES } from '../../media/renditions/rtp-packet-writer.ts';
import { isSameFormat, type Random32, RtpPresentation } from '../../media/renditions/rtp-presentation.ts';
import { RtpContainerWriter } from '../../media/renditions/rtp-rendition.ts';
import { RtpSenderClock } from '../../media/renditions/rtp-sender-clock.ts';
import type { StreamHeader } from '../../media/stream-header.ts';
import type { RtpMapping } from '../../protocol/rtp/payload/payload-format.ts';
import { SenderReports } from '../rtsp/sender-reports.ts';

/** Time between sender reports, milliseconds. */
const REPORT_INTERVAL_MS = 5_000;

/** Takes an RTP or RTCP packet. RTP is part of a larger buffer and may not be written into. */
export type SendPacket = (packet: Uint8Array, isRtcp: boolean) => void;

/** Where a stream's time stands on the RTP line of the sender. */
interface Line {
  readonly writer: RtpContainerWriter;
  readonly reports: SenderReports;
}

/**
 * Sound of one format as RTP of one source. When the stream pauses, numbering goes on afterwards where it was, and
 * timestamps as much later as it was by the clock (RFC 3550 §5.1).
 */
export class BackChannelSender {
  readonly #track: Track;
  readonly #format: RtpMapping;
  readonly #send: SendPacket;
  readonly #cname: string;
  /** RTP timestamp at `nowMs() = 0`. */
  readonly #firstTimestamp: number;
  readonly #random32: Random32;
  #line: Line | undefined;
  #last: RtpPresentation | undefined;
  #nextReportMs = 0;

  constructor(track: Track, format: RtpMapping, send: SendPacket, random32: Random32) {
    this.#track = track;
    this.#format = format;
    this.#send = send;
    this.#random32 = random32;
    this.#cname = `millrace-${random32().toString(36)}`;
    this.#firstTimestamp = random32();
  }

  /** Whether it sends such a track in such a format. */
  fits(track: Track, format: RtpMapping): boolean {
    const own = this.#last?.tracks[0];
    return format === this.#format && own !== undefined && isSameFormat(own, track);
  }

  /** @param header in force at the frame */
  write(frame: Frame, header: StreamHeader): void {
    if (frame.track.trackId !== this.#track.trackId) return;
    this.#line ??= this.#begin(frame);
    const packets = this.#line.writer.writeFrame(frame, header);
    for (let at = 0; at < packets.length; ) {
      const end = at + interleavedBytes(packets, at);
      this.#send(packets.subarray(at + INTERLEAVED_HEADER_BYTES, end), false);
      at = end;
    }
  }

  /** Sends a report when one is due. */
  report(): void {
    const nowMs = nodeClock.nowMs();
    if (this.#line === undefined || nowMs < this.#nextReportMs) return;
    this.#nextReportMs = nowMs + REPORT_INTERVAL_MS * (0.5 + Math.random());
    this.#send(this.#line.reports.report(0), true);
  }

  /** The stream is not there for a while. */
  pause(): void {
    this.#line = undefined;
  }

  #begin(frame: Frame): Line {
    const { clockRate } = this.#format;
    const nowMs = nodeClock.nowMs();
    const last = this.#last?.tracks[0];
    const streamTime = Math.round((frame.ptsUs * clockRate) / 1_000_000);
    // The format was found for this very track.
    const presentation = RtpPresentation.ofTrack(this.#track, this.#format.payloadType, {
      ssrc: last?.ssrc ?? this.#random32(),
      sequenceNumber: last?.sequenceNumber ?? this.#random32() & 0xffff,
      timestampOffset: this.#firstTimestamp + Math.round((nowMs * clockRate) / 1000) - streamTime,
      packets: last?.packets ?? 0,
      payloadBytes: last?.payloadBytes ?? 0,
    })!;
    const clock = new RtpSenderClock(nodeClock, Date.now());
    const line: Line = {
      writer: new RtpContainerWriter({ presentation, clock, onOutdated: () => undefined }),
      reports: new SenderReports(presentation, clock, nodeClock, this.#cname),
    };
    this.#last = presentation;
    clock.note(frame.ptsUs);
    // Ties what follows to the clock from its first packet on.
    this.#nextReportMs = nowMs + REPORT_INTERVAL_MS * (0.5 + Math.random());
    this.#send(line.reports.reportAt(0, frame.ptsUs), true);
    return line;
  }
}
