import type { ExtendedReport } from '../../protocol/rtp/rtcp-extended-report.ts';
import {
  isPictureLossIndication,
  nackedPacketCount,
  type RtcpFeedback,
  readFullIntraRequest,
  readNack,
} from '../../protocol/rtp/rtcp-feedback.ts';
import { parseRtcp, type RtcpPacket } from '../../protocol/rtp/rtcp-packet.ts';
import { readReceiverEstimatedBitrate } from '../../protocol/rtp/rtcp-receiver-estimated-bitrate.ts';
import type { ReportBlock } from '../../protocol/rtp/rtcp-report.ts';
import {
  readTransportWideFeedback,
  type TransportWideFeedback,
  transportWidePacketCount,
} from '../../protocol/rtp/rtcp-transport-wide-feedback.ts';
import { toNtpTime } from '../../wire/ntp-time.ts';
import type { RouterEnvironment } from '../router-environment.ts';
import type { DroppedPackets } from './dropped-packets.ts';
import type { TransportStreams } from './transport-streams.ts';

/** Who learns what a peer tells of the path. */
export interface PathFeedback {
  /** Whether feedback on so many packets is read: not when it is on more than were sent. */
  mayTell(packets: number): boolean;
  onTransportFeedback(feedback: TransportWideFeedback, nowMs: number): void;
  onRemb(bitrateBps: number, nowMs: number): void;
  /** @param lossFraction 0–1 */
  onReceiverReport(lossFraction: number, rttMs: number | undefined, nowMs: number): void;
}

/**
 * Hands the RTCP of a peer to those it is about. What that costs is bounded by what the peer was sent: feedback on packets
 * that never were, and requests for more than there can be, are not even read.
 */
export class RtcpReceiver {
  /** Whether the compound told the peer's clock, and the round trip, already. */
  #hasReference = false;
  #hasRoundTrip = false;
  /** Streams it reported on already, by SSRC. */
  readonly #reported = new Set<number>();
  readonly #streams: TransportStreams;
  readonly #environment: RouterEnvironment;
  readonly #path: PathFeedback;
  readonly #dropped: DroppedPackets;

  /** @param dropped where it counts */
  constructor(streams: TransportStreams, environment: RouterEnvironment, path: PathFeedback, dropped: DroppedPackets) {
    this.#streams = streams;
    this.#environment = environment;
    this.#path = path;
    this.#dropped = dropped;
  }

  /** Takes a compound, or a packet of reduced size (RFC 5506). */
  receive(bytes: Uint8Array, nowMs: number): void {
    const { packets, isMalformed } = parseRtcp(bytes, { reducedSize: true });
    if (isMalformed) this.#dropped.malformed++;
    this.#hasReference = false;
    this.#hasRoundTrip = false;
    this.#reported.clear();
    for (const packet of packets) this.#take(packet, nowMs);
  }

  #take(packet: RtcpPacket, nowMs: number): void {
    switch (packet.type) {
      case 'sender-report':
        this.#streams.listener.findBySsrc(packet.ssrc)?.receiveSenderReport(packet, nowMs);
        this.#takeBlocks(packet.reports, nowMs);
        break;
      case 'receiver-report':
        this.#takeBlocks(packet.reports, nowMs);
        break;
      case 'transport-feedback':
        this.#takeTransportFeedback(packet, nowMs);
        break;
      case 'payload-feedback':
        this.#takePayloadFeedback(packet, nowMs);
        break;
      case 'extended-report':
        this.#takeExtended(packet, nowMs);
        break;
      case 'source-description':
      case 'goodbye':
      case 'application-defined':
        // Control says when something begins and ends.
        break;
    }
  }

  #takeBlocks(blocks: readonly ReportBlock[], nowMs: number): void {
    const now = toNtpTime(this.#environment.unixMs());
    for (const block of blocks) {
      const found = this.#streams.anyOutput(block.ssrc);
      if (found === undefined || this.#reported.has(block.ssrc)) continue;
      this.#reported.add(block.ssrc);
      found.consumer.receiveReport(found.output, block, now);
      this.#path.onReceiverReport(block.fractionLost / 256, found.output.sent.rttMs, nowMs);
    }
  }

  #takeTransportFeedback(packet: RtcpFeedback, nowMs: number): void {
    const asked = nackedPacketCount(packet);
    if (asked !== undefined) {
      this.#takeNack(packet, asked, nowMs);
      return;
    }
    const told = transportWidePacketCount(packet);
    if (told === undefined) return;
    if (!this.#path.mayTell(told)) {
      this.#dropped.excessiveFeedback++;
      return;
    }
    const feedback = readTransportWideFeedback(packet);
    if (feedback !== undefined) this.#path.onTransportFeedback(feedback, nowMs);
  }

  #takeNack(packet: RtcpFeedback, asked: number, nowMs: number): void {
    const found = this.#streams.output(packet.mediaSsrc);
    if (found === undefined) return;
    if (!found.output.sent.mayAsk(asked)) {
      this.#dropped.excessiveFeedback++;
      return;
    }
    found.consumer.receiveNack(found.output, readNack(packet)!, nowMs);
  }

  #takePayloadFeedback(packet: RtcpFeedback, nowMs: number): void {
    if (isPictureLossIndication(packet)) {
      const found = this.#streams.output(packet.mediaSsrc);
      found?.consumer.receiveKeyFrameRequest('pli', found.output);
      return;
    }
    const entries = readFullIntraRequest(packet);
    if (entries !== undefined) {
      // Some put the stream into the header only.
      const ssrcs = entries.length === 0 ? [packet.mediaSsrc] : entries.map(({ ssrc }) => ssrc);
      for (const ssrc of ssrcs) {
        const found = this.#streams.output(ssrc);
        found?.consumer.receiveKeyFrameRequest('fir', found.output);
      }
      return;
    }
    const remb = readReceiverEstimatedBitrate(packet);
    if (remb !== undefined) this.#path.onRemb(remb.bitrateBps, nowMs);
  }

  /** Both are of the path, and told again for each stream by some: the first of a compound is enough. */
  #takeExtended({ blocks }: ExtendedReport, nowMs: number): void {
    const now = toNtpTime(this.#environment.unixMs());
    for (const block of blocks) {
      if (block.type === 'receiver-reference-time') {
        if (this.#hasReference) continue;
        this.#hasReference = true;
        for (const { outputs } of this.#streams.consumers.values()) {
          for (const { sent } of outputs) sent.receiveReferenceTime(block, nowMs);
        }
        continue;
      }
      const entry = block.entries.find(({ lastReceiverReport }) => lastReceiverReport !== 0);
      if (entry === undefined || this.#hasRoundTrip) continue;
      this.#hasRoundTrip = true;
      for (const producer of this.#streams.producers.values()) {
        for (const stream of producer.streams) stream?.received.receiveDlrr(entry, now);
      }
    }
  }
}
