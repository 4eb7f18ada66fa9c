import type { Track } from '../codec/track.ts';
import type { RtpMapping } from '../protocol/rtp/payload/payload-format.ts';
import { depacketizerOf, trackOf } from '../protocol/rtp/payload/payload-formats.ts';
import { DEFAULT_MAX_WAIT_MS } from '../protocol/rtp/reorder-buffer.ts';
import { isRtcp, parseRtcp, writeRtcp } from '../protocol/rtp/rtcp-packet.ts';
import { SDES_ITEM } from '../protocol/rtp/rtcp-source-description.ts';
import { RtpTimeline } from '../protocol/rtp/rtp-clock.ts';
import { ByteWriter } from '../wire/byte-writer.ts';
import type { Publication } from './publication.ts';
import { RtpIngestFrames } from './rtp-ingest-frames.ts';
import { type RtpIngestCounters, RtpIngestTrack, type UnitSink } from './rtp-ingest-track.ts';
import { RtpIngestTransportStream } from './rtp-ingest-transport-stream.ts';

export type { RtpIngestCounters } from './rtp-ingest-track.ts';

/** Most tracks of one publisher that are taken in. */
export const MAX_INGEST_TRACKS = 32;

/** Milliseconds between receiver reports; the first comes after half of it (RFC 3550 §6.2). */
export const REPORT_INTERVAL_MS = 5000;

/** One track as the publisher's SDP names it. */
export interface RtpIngestTrackDescription {
  readonly mapping: RtpMapping;
  /** Of the media line. */
  readonly kind: Track['kind'];
}

export interface RtpIngestOptions {
  readonly publication: Publication;
  /** In the order by which `receiveRtp` and `receiveRtcp` number them. At most one of them may be a transport stream. */
  readonly tracks: readonly RtpIngestTrackDescription[];
  /** What reports of ours call themselves: 32 random bits. */
  readonly ssrc: number;
  /** Canonical name in our reports (RFC 3550 §6.5.1), at most 255 bytes of UTF-8. */
  readonly cname: string;
  /** How long a missing packet is waited for, milliseconds: 0 for transports that keep the order, default 100. */
  readonly maxWaitMs?: number;
  /**
   * When viewers learn of tracks whose configuration SDP tells: at once (default), or with the first packet, for sources
   * that name tracks they never send.
   */
  readonly announce?: 'at-once' | 'with-first-packet';
}

/** RTCP to be sent to the publisher. */
export interface OutgoingRtcp {
  /** Index of the track beside whose packets it goes. */
  readonly track: number;
  readonly bytes: Uint8Array;
}

const NO_RTCP: readonly OutgoingRtcp[] = [];
const FALLBACK_CLOCK_RATE = 90_000;

/**
 * The receiving side of one stream in RTP, whoever sends it: packets in, frames into the publication, reports out. Keeps
 * to the order of decoding, gives video decode times, brings the tracks together by their sender reports, and takes
 * transport streams apart. Never throws for what a publisher sends.
 */
export class RtpIngest {
  readonly #tracks: readonly (RtpIngestTrack | undefined)[];
  readonly #ssrc: number;
  readonly #cname: string;
  #nextReportMs: number | undefined;
  #strayPackets = 0;
  #strayBytes = 0;

  constructor(options: RtpIngestOptions) {
    this.#ssrc = options.ssrc;
    this.#cname = options.cname;
    const timeline = new RtpTimeline();
    const counts = { video: 0, audio: 0, data: 0 };
    const formats = options.tracks.slice(0, MAX_INGEST_TRACKS).map(({ mapping, kind }) => {
      const track = trackOf(mapping, kind, counts[kind]);
      const depacketizer = depacketizerOf(mapping);
      if (track === undefined || depacketizer === undefined) return undefined;
      if (track.codec !== 'mp2t') counts[track.kind]++;
      return { mapping, track, depacketizer };
    });
    const firstTs = formats.find((format) => format?.track.codec === 'mp2t');
    this.#tracks = formats.map((format) => {
      if (format === undefined) return undefined;
      const { mapping, track, depacketizer } = format;
      const isTs = track.codec === 'mp2t';
      if (isTs && format !== firstTs) return undefined;
      const { publication, maxWaitMs = DEFAULT_MAX_WAIT_MS } = options;
      const clock = timeline.addClock(mapping.clockRate > 0 ? mapping.clockRate : FALLBACK_CLOCK_RATE);
      const sink: UnitSink = isTs
        ? new RtpIngestTransportStream(publication, counts)
        : new RtpIngestFrames(publication, clock, track);
      return new RtpIngestTrack({ mapping, depacketizer, clock, sink, maxWaitMs });
    });
    if (options.announce !== 'with-first-packet') for (const track of this.#tracks) track?.sink.announce();
  }

  /** Whether packets of this track come to anything: its format is known. */
  takes(track: number): boolean {
    return this.#tracks[track] !== undefined;
  }

  /** Whether every track that sent anything has said goodbye. */
  get isFinished(): boolean {
    const tracks = this.#tracks.filter((track) => track !== undefined);
    return tracks.some((track) => track.isFinished) && tracks.every((track) => track.isFinished || track.isUnused);
  }

  /** What became of the packets, of one track or of all of them; those of tracks nobody takes count as foreign. */
  counters(track?: number): RtpIngestCounters {
    const sum: Record<keyof RtpIngestCounters, number> = { ...NO_PACKETS };
    const tracks = track === undefined ? this.#tracks : [this.#tracks[track]];
    for (const one of tracks) {
      const counters = one?.counters;
      if (counters !== undefined) for (const name of COUNTER_NAMES) sum[name] += counters[name];
    }
    if (track === undefined) {
      sum.packets += this.#strayPackets;
      sum.bytes += this.#strayBytes;
      sum.foreign += this.#strayPackets;
    }
    return sum;
  }

  /** Takes an RTP packet of a track, or RTCP on the same port; `bytes` need not outlast the call. */
  receiveRtp(track: number, bytes: Uint8Array, nowMs: number): void {
    this.#nextReportMs ??= nowMs + REPORT_INTERVAL_MS / 2;
    const one = this.#tracks[track];
    if (one === undefined) {
      this.#strayPackets++;
      this.#strayBytes += bytes.length;
    } else if (isRtcp(bytes)) this.receiveRtcp(track, bytes, nowMs);
    else one.receive(bytes, nowMs);
  }

  /** Takes a compound of RTCP that came with a track; `bytes` need not outlast the call. */
  receiveRtcp(track: number, bytes: Uint8Array, nowMs: number): void {
    this.#nextReportMs ??= nowMs + REPORT_INTERVAL_MS / 2;
    const one = this.#tracks[track];
    if (one === undefined) return;
    const { packets, isMalformed } = parseRtcp(bytes, { reducedSize: true });
    if (isMalformed) one.noteMalformed();
    for (const packet of packets) {
      if (packet.type === 'sender-report') one.receiveSenderReport(packet, nowMs);
      else if (packet.type === 'goodbye') one.receiveGoodbye(packet.ssrcs);
    }
  }

  /** When `handleTimeout` is to be called; undefined before the first packet. Any packet may change it. */
  nextTimeoutMs(): number | undefined {
    let nextMs = this.#nextReportMs;
    for (const track of this.#tracks) {
      const dueMs = track?.nextTimeoutMs();
      if (dueMs !== undefined && (nextMs === undefined || dueMs < nextMs)) nextMs = dueMs;
    }
    return nextMs;
  }

  /** Gives up packets that were waited for long enough. @returns reports to be sent now */
  handleTimeout(nowMs: number): readonly OutgoingRtcp[] {
    for (const track of this.#tracks) track?.handleTimeout(nowMs);
    if (this.#nextReportMs === undefined || nowMs < this.#nextReportMs) return NO_RTCP;
    this.#nextReportMs = nowMs + REPORT_INTERVAL_MS;
    const reports: OutgoingRtcp[] = [];
    for (const [i, track] of this.#tracks.entries()) {
      if (track !== undefined) reports.push({ track: i, bytes: this.#report(track, nowMs) });
    }
    return reports;
  }

  /** The publisher is gone: what waits is given to the publication, which is not ended by this. */
  end(): void {
    for (const track of this.#tracks) track?.end();
  }

  /** Receiver report and canonical name of one track. */
  #report(track: RtpIngestTrack, nowMs: number): Uint8Array {
    const out = new ByteWriter(128);
    const block = track.takeReportBlock(nowMs);
    writeRtcp({ type: 'receiver-report', ssrc: this.#ssrc, reports: block === undefined ? [] : [block] }, out);
    const items = [{ type: SDES_ITEM.cname, text: this.#cname }];
    writeRtcp({ type: 'source-description', chunks: [{ ssrc: this.#ssrc, items }] }, out);
    return out.finish();
  }
}

const NO_PACKETS: RtpIngestCounters = {
  packets: 0,
  bytes: 0,
  malformed: 0,
  foreign: 0,
  lost: 0,
  reordered: 0,
  late: 0,
  duplicates: 0,
  restarts: 0,
  dropped: 0,
};

const COUNTER_NAMES = Object.keys(NO_PACKETS) as (keyof RtpIngestCounters)[];
