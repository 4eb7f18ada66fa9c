import type { Clock } from '../../media/clock.ts';
import { type RtpPresentation, type RtpTrack, toRtpTimestamp } from '../../media/renditions/rtp-presentation.ts';
import type { RtpSenderClock, SenderTime } from '../../media/renditions/rtp-sender-clock.ts';
import { writeGoodbye } from '../../protocol/rtp/rtcp-goodbye.ts';
import { writeReceiverReport, writeSenderReport } from '../../protocol/rtp/rtcp-report.ts';
import { SDES_ITEM, writeSourceDescription } from '../../protocol/rtp/rtcp-source-description.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';

/** Clients whose reports are due within this long get the same bytes, milliseconds. */
const SHARED_MS = 500;

/** The clock follows the stream in steps at least this far apart, milliseconds. */
const FOLLOW_MS = 4_000;

/** What the server tells by RTCP of a presentation it sends: made once for all clients. */
export class SenderReports {
  readonly #presentation: RtpPresentation;
  readonly #senderClock: RtpSenderClock;
  readonly #clock: Clock;
  readonly #cname: string;
  readonly #protect: (packet: Uint8Array) => Uint8Array;
  #shared: { readonly madeMs: number; readonly packets: (Uint8Array | undefined)[] } | undefined;
  #followedMs = Number.NEGATIVE_INFINITY;

  /**
   * @param cname names the sender over all its tracks (RFC 7022)
   * @param protect makes SRTCP of what is sent
   */
  constructor(
    presentation: RtpPresentation,
    senderClock: RtpSenderClock,
    clock: Clock,
    cname: string,
    protect: (packet: Uint8Array) => Uint8Array = (packet) => packet,
  ) {
    this.#presentation = presentation;
    this.#senderClock = senderClock;
    this.#clock = clock;
    this.#cname = cname;
    this.#protect = protect;
  }

  /** SR and SDES of a track for now. Shared: not to be written into. */
  report(track: number): Uint8Array {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#followedMs >= FOLLOW_MS) {
      this.#followedMs = nowMs;
      this.#senderClock.follow();
    }
    if (this.#shared === undefined || nowMs - this.#shared.madeMs >= SHARED_MS) {
      this.#shared = { madeMs: nowMs, packets: [] };
    }
    const { packets } = this.#shared;
    packets[track] ??= this.#write(this.#presentation.tracks[track]!, this.#senderClock.now());
    return packets[track];
  }

  /** The same for a moment of the stream, of which the packets that follow are. */
  reportAt(track: number, streamUs: number): Uint8Array {
    return this.#write(this.#presentation.tracks[track]!, this.#senderClock.at(streamUs));
  }

  /** An empty RR, SDES and BYE: nothing more comes of this track. */
  bye(track: number): Uint8Array {
    const { ssrc } = this.#presentation.tracks[track]!;
    const out = new ByteWriter(64);
    writeReceiverReport({ ssrc, reports: [] }, out);
    this.#describe(ssrc, out);
    writeGoodbye({ ssrcs: [ssrc] }, out);
    return this.#protect(out.finish());
  }

  #write(rtp: RtpTrack, time: SenderTime): Uint8Array {
    const out = new ByteWriter(80);
    writeSenderReport(
      {
        ssrc: rtp.ssrc,
        ntpSeconds: time.ntpSeconds,
        ntpFraction: time.ntpFraction,
        rtpTimestamp: toRtpTimestamp(rtp, time.streamUs) >>> 0,
        packetCount: rtp.packets >>> 0,
        octetCount: rtp.payloadBytes >>> 0,
        reports: [],
      },
      out,
    );
    this.#describe(rtp.ssrc, out);
    return this.#protect(out.finish());
  }

  #describe(ssrc: number, out: ByteWriter): void {
    writeSourceDescription({ chunks: [{ ssrc, items: [{ type: SDES_ITEM.cname, text: this.#cname }] }] }, out);
  }
}
