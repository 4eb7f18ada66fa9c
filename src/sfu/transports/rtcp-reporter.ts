import { writeExtendedReport } from '../../protocol/rtp/rtcp-extended-report.ts';
import {
  type FeedbackParties,
  writeFullIntraRequest,
  writeNack,
  writePictureLossIndication,
} from '../../protocol/rtp/rtcp-feedback.ts';
import { writeReceiverEstimatedBitrate } from '../../protocol/rtp/rtcp-receiver-estimated-bitrate.ts';
import { type ReportBlock, writeReceiverReport, writeSenderReport } from '../../protocol/rtp/rtcp-report.ts';
import { SDES_ITEM, toSdesText, writeSourceDescription } from '../../protocol/rtp/rtcp-source-description.ts';
import {
  type TransportWideFeedback,
  writeTransportWideFeedback,
} from '../../protocol/rtp/rtcp-transport-wide-feedback.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { type NtpTime, toNtpTime } from '../../wire/ntp-time.ts';
import type { Consumer } from '../consumers/consumer.ts';
import type { OutputStream } from '../consumers/output-stream.ts';
import type { ProducerPort } from '../producer.ts';
import type { ProducerStream } from '../producer-stream.ts';
import type { RouterEnvironment } from '../router-environment.ts';
import type { PacketSender } from './packet-sender.ts';
import type { TransportStreams } from './transport-streams.ts';

/** Reports are sent about so often, milliseconds: half as much or half as much again (RFC 3550 §6.2). */
export const REPORT_INTERVAL_MS = 1000;
/** A compound is sent when it is so long, bytes. */
const COMPOUND_BYTES = 1000;
const MAX_BLOCKS = 31;
/** Numbers of one NACK: each entry of four bytes may hold but one. */
const MAX_NACKED = 250;

/** Writes and sends the RTCP of one transport. */
export class RtcpReporter implements ProducerPort {
  readonly #streams: TransportStreams;
  readonly #sender: PacketSender;
  readonly #environment: RouterEnvironment;
  /** Ours, as a receiver. */
  readonly #ssrc: number;
  #firNumber = 0;

  constructor(streams: TransportStreams, sender: PacketSender, environment: RouterEnvironment) {
    this.#streams = streams;
    this.#sender = sender;
    this.#environment = environment;
    this.#ssrc = 1 + Math.floor(environment.random() * 0xffff_fffe);
  }

  /** When the next reports are due, if these are sent at `nowMs`. */
  nextReportMs(nowMs: number): number {
    return nowMs + REPORT_INTERVAL_MS * (0.5 + this.#environment.random());
  }

  /** Sends the reports of what is sent and received. */
  sendReports(nowMs: number): void {
    this.#sendSenderReports(nowMs);
    this.#sendReceiverReports(nowMs);
  }

  #sendSenderReports(nowMs: number): void {
    const now = toNtpTime(this.#environment.unixMs());
    let out = new ByteWriter(COMPOUND_BYTES);
    for (const consumer of this.#streams.consumers.values()) {
      if (!consumer.isActive) continue;
      for (const output of consumer.outputs) {
        this.#writeSenderReports(consumer, output, now, nowMs, out);
        if (out.length > COMPOUND_BYTES) {
          this.#send(out, nowMs);
          out = new ByteWriter(COMPOUND_BYTES);
        }
      }
    }
    if (out.length > 0) this.#send(out, nowMs);
  }

  /** Sends the report of a stream that has just begun: without it nobody knows yet which sound its pictures belong to. */
  sendSenderReport(consumer: Consumer, output: OutputStream): void {
    const nowMs = this.#environment.clock.nowMs();
    const out = new ByteWriter(COMPOUND_BYTES);
    this.#writeSenderReports(consumer, output, toNtpTime(this.#environment.unixMs()), nowMs, out);
    if (out.length > 0) this.#send(out, nowMs);
  }

  #writeSenderReports(consumer: Consumer, output: OutputStream, now: NtpTime, nowMs: number, out: ByteWriter): void {
    const { sent } = output;
    // As the sender of its media has signalled it.
    const items = [{ type: SDES_ITEM.cname, text: toSdesText(consumer.rtpParameters.rtcp?.cname ?? '') }];
    for (const report of output.senderReports(now, nowMs)) {
      writeSenderReport(report, out);
      writeSourceDescription({ chunks: [{ ssrc: report.ssrc, items }] }, out);
      const dlrr = report.ssrc === sent.params.ssrc ? sent.takeDlrr(this.#ssrc, nowMs) : undefined;
      if (dlrr !== undefined) {
        writeExtendedReport({ ssrc: report.ssrc, blocks: [{ type: 'dlrr', entries: [dlrr] }] }, out);
      }
    }
  }

  #sendReceiverReports(nowMs: number): void {
    const blocks: ReportBlock[] = [];
    for (const producer of this.#streams.producers.values()) {
      for (const stream of producer.streams)
        if (stream !== undefined) blocks.push(...stream.received.takeReports(nowMs));
      producer.reportsTaken();
    }
    for (let first = 0; first < blocks.length; first += MAX_BLOCKS) {
      const out = new ByteWriter(COMPOUND_BYTES);
      writeReceiverReport({ ssrc: this.#ssrc, reports: blocks.slice(first, first + MAX_BLOCKS) }, out);
      if (first === 0) {
        const reference = { type: 'receiver-reference-time', ...toNtpTime(this.#environment.unixMs()) } as const;
        writeExtendedReport({ ssrc: this.#ssrc, blocks: [reference] }, out);
      }
      this.#send(out, nowMs);
    }
  }

  requestKeyFrame({ params: { ssrc, usePli } }: ProducerStream): void {
    const out = new ByteWriter(32);
    if (usePli) {
      writePictureLossIndication(this.#parties(ssrc), out);
    } else {
      this.#firNumber = (this.#firNumber + 1) & 0xff;
      writeFullIntraRequest(this.#ssrc, [{ ssrc, sequenceNumber: this.#firNumber }], out);
    }
    this.#send(out, this.#environment.clock.nowMs());
  }

  sendNack({ params: { ssrc } }: ProducerStream, sequenceNumbers: readonly number[]): void {
    for (let first = 0; first < sequenceNumbers.length; first += MAX_NACKED) {
      const out = new ByteWriter(64);
      writeNack(this.#parties(ssrc), sequenceNumbers.slice(first, first + MAX_NACKED), out);
      this.#send(out, this.#environment.clock.nowMs());
    }
  }

  sendTransportFeedback(feedback: TransportWideFeedback, mediaSsrc: number, nowMs: number): void {
    const out = new ByteWriter(128);
    writeTransportWideFeedback(this.#parties(mediaSsrc), feedback, out);
    this.#send(out, nowMs);
  }

  sendRemb(bitrateBps: number, nowMs: number): void {
    const ssrcs: number[] = [];
    for (const producer of this.#streams.producers.values()) {
      for (const stream of producer.streams) if (stream !== undefined) ssrcs.push(stream.params.ssrc);
    }
    const out = new ByteWriter(64);
    writeReceiverEstimatedBitrate(this.#ssrc, { bitrateBps, ssrcs: ssrcs.slice(0, 255) }, out);
    this.#send(out, nowMs);
  }

  #parties(mediaSsrc: number): FeedbackParties {
    return { senderSsrc: this.#ssrc, mediaSsrc };
  }

  #send(out: ByteWriter, nowMs: number): void {
    this.#sender.sendRtcp(out.finish(), nowMs);
  }
}
