/** A publisher in memory: the RTP and RTCP packets of given frames, as a sender in RTSP would make them. */
import type { Frame } from '../src/codec/frame.ts';
import type { Track } from '../src/codec/track.ts';
import {
  INTERLEAVED_HEADER_BYTES,
  RtpPacketWriter,
  type RtpTrackState,
} from '../src/media/renditions/rtp-packet-writer.ts';
import type { Packetizer } from '../src/protocol/rtp/payload/packetizer.ts';
import type { RtpMapping } from '../src/protocol/rtp/payload/payload-format.ts';
import { mappingOf, packetizerOf } from '../src/protocol/rtp/payload/payload-formats.ts';
import { writeRtcp } from '../src/protocol/rtp/rtcp-packet.ts';
import { SenderStatistics } from '../src/protocol/rtp/sender-statistics.ts';
import { ByteWriter } from '../src/wire/byte-writer.ts';
import { toNtpTime } from '../src/wire/ntp-time.ts';
import type { Arrival } from './lossy-link.ts';

/** Where the wall clock of senders begins. */
const WALL_MS: number = Date.UTC(2026, 5, 1);

/** One datagram on its way. */
export interface SentPacket {
  /** Index of the track. */
  readonly track: number;
  readonly kind: 'rtp' | 'rtcp';
  readonly bytes: Uint8Array;
}

export interface RtpPublisherOptions {
  /** Sequence number of the first packet of every track, default 65,530. */
  readonly firstSequenceNumber?: number;
  /** RTP timestamp of time 0 of every track, default shortly before the wrap. */
  readonly timestampOffset?: number;
  /** First SSRC; the tracks count up from it. Default 0x1000. */
  readonly ssrc?: number;
  /** Largest packet, bytes, default 400, so that small pictures take several. */
  readonly maxPacketBytes?: number;
}

interface SentTrack extends RtpTrackState {
  readonly mapping: RtpMapping;
  readonly packetizer: Packetizer;
}

/** Packs frames of some tracks, each of another codec. */
export class RtpPublisher {
  readonly tracks: readonly Track[];
  readonly #sent: readonly SentTrack[];
  readonly #writer: RtpPacketWriter;
  readonly #timestampOffset: number;

  constructor(tracks: readonly Track[], options: RtpPublisherOptions = {}) {
    this.tracks = tracks;
    this.#writer = new RtpPacketWriter(options.maxPacketBytes ?? 400);
    this.#timestampOffset = options.timestampOffset ?? 2 ** 32 - 20_000;
    this.#sent = tracks.map((track, i) => {
      const mapping = mappingOf(track, 96 + i);
      const packetizer = packetizerOf(track);
      if (mapping === undefined || packetizer === undefined) throw new RangeError(`${track.codec} can't be sent`);
      return {
        mapping,
        packetizer,
        channel: 2 * i,
        payloadType: mapping.payloadType,
        ssrc: (options.ssrc ?? 0x1000) + i,
        sequenceNumber: options.firstSequenceNumber ?? 65_530,
        packets: 0,
        payloadBytes: 0,
      };
    });
  }

  /** What the SDP says of the tracks. */
  get descriptions(): readonly { readonly mapping: RtpMapping; readonly kind: Track['kind'] }[] {
    return this.tracks.map(({ kind }, i) => ({ kind, mapping: this.#sent[i]!.mapping }));
  }

  /** The packets of a frame. */
  packetsOf(frame: Frame): SentPacket[] {
    const index = this.tracks.findIndex(
      (track) => track.codec === frame.track.codec && track.kind === frame.track.kind,
    );
    const sent = this.#sent[index]!;
    this.#writer.begin(sent, this.#timestampOf(sent, frame.ptsUs), frame.payload.length);
    sent.packetizer.write(frame.payload, frame.isKeyFrame, this.#writer);
    const bytes = this.#writer.finish();
    const packets: SentPacket[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = at + INTERLEAVED_HEADER_BYTES + ((bytes[at + 2]! << 8) | bytes[at + 3]!);
      packets.push({ track: index, kind: 'rtp', bytes: bytes.slice(at + INTERLEAVED_HEADER_BYTES, end) });
      at = end;
    }
    return packets;
  }

  /** A sender report of a track for the moment `timeUs` on the frames' line. */
  reportOf(track: number, timeUs: number): SentPacket {
    const sent = this.#sent[track]!;
    const statistics = new SenderStatistics(sent.ssrc);
    statistics.sent(sent.packets, sent.payloadBytes);
    const out = new ByteWriter();
    writeRtcp(statistics.report(toNtpTime(WALL_MS + timeUs / 1000), this.#timestampOf(sent, timeUs)), out);
    return { track, kind: 'rtcp', bytes: out.finish() };
  }

  /** BYE of a track. */
  goodbyeOf(track: number): SentPacket {
    const { ssrc } = this.#sent[track]!;
    const out = new ByteWriter();
    writeRtcp({ type: 'receiver-report', ssrc, reports: [] }, out);
    writeRtcp({ type: 'goodbye', ssrcs: [ssrc] }, out);
    return { track, kind: 'rtcp', bytes: out.finish() };
  }

  /** All packets of the frames, sent at their decode times, with reports at the start and every `reportMs`. */
  send(frames: readonly Frame[], reportMs = 1000): Arrival<SentPacket>[] {
    const packets: Arrival<SentPacket>[] = [];
    let nextReportMs = Number.NEGATIVE_INFINITY;
    for (const frame of frames) {
      const atMs = frame.dtsUs / 1000;
      if (atMs >= nextReportMs) {
        for (const i of this.tracks.keys()) packets.push({ atMs, datagram: this.reportOf(i, frame.dtsUs) });
        nextReportMs = atMs + reportMs;
      }
      for (const datagram of this.packetsOf(frame)) packets.push({ atMs, datagram });
    }
    return packets;
  }

  #timestampOf({ mapping }: SentTrack, timeUs: number): number {
    return (this.#timestampOffset + Math.round((timeUs * mapping.clockRate) / 1_000_000)) >>> 0;
  }
}
