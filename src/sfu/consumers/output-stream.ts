import { rewritePictureNumbers } from '../../protocol/rtp/layers/picture-id-rewrite.ts';
import type { SenderReport } from '../../protocol/rtp/rtcp-report.ts';
import { RtpPacketView } from '../../protocol/rtp/rtp-packet-view.ts';
import type { NtpTime } from '../../wire/ntp-time.ts';
import { MAX_ENCODINGS } from '../producer.ts';
import type { ProducerPacket } from '../producer-packet.ts';
import { type KnownCodec, knownCodecOf, ProducerPayload } from '../producer-payload.ts';
import type { ProducerStream } from '../producer-stream.ts';
import type { ProducerTrace } from '../producer-trace.ts';
import { STORED_AUDIO_MS, STORED_VIDEO_MS } from '../streams/packet-store.ts';
import { RetransmissionBuffer } from '../streams/retransmission-buffer.ts';
import { SentStream } from '../streams/sent-stream.ts';
import { SequenceRewriter } from '../streams/sequence-rewriter.ts';
import { mediaKindOf, type StreamParameters } from '../streams/stream-parameters.ts';
import type { PacketSender } from '../transports/packet-sender.ts';
import type { RtpParameters } from '../transports/rtp-parameters.ts';
import { type CopyHeader, PacketWriter } from './packet-writer.ts';

/** What an output stream is made of. */
export interface OutputStreamOptions {
  readonly consumerId: string;
  readonly params: StreamParameters;
  readonly sender: PacketSender;
  readonly producerParameters: RtpParameters;
  readonly consumerParameters: RtpParameters;
  /** By encoding, for what is to be sent again. */
  readonly producerStreams: readonly (ProducerStream | undefined)[];
  readonly trace: ProducerTrace;
  /** 0–1, without 1. */
  readonly random: () => number;
  /** Around its first packet, and around one whose timestamp has nothing to do with those before: it should be reported of. */
  readonly onBegin: (output: OutputStream) => void;
}

/** Numbers of pictures in VP8 and VP9 as a viewer gets them. */
export interface PictureReplacement {
  pictureId: number;
  tl0PictureIndex: number;
}

const NOTHING = new Uint8Array(0);
const MARKER_BIT = 0x80_0000;
const REWRITTEN_BIT = 0x1000_0000;

/**
 * One stream as a consumer sends it: copies of packets, with numbers of its own, and what was sent again when it is asked
 * for. Costs no object per packet.
 */
export class OutputStream {
  readonly sent: SentStream;
  /** Numbers of packets. */
  readonly numbers: SequenceRewriter;
  readonly #writer: PacketWriter;
  readonly #sender: PacketSender;
  readonly #producerStreams: readonly (ProducerStream | undefined)[];
  readonly #trace: ProducerTrace;
  readonly #codec: KnownCodec;
  readonly #view = new RtpPacketView();
  readonly #payload: ProducerPayload;
  readonly #header: CopyHeader;
  readonly #picture: PictureReplacement = { pictureId: 0, tl0PictureIndex: 0 };
  readonly #onBegin: (output: OutputStream) => void;
  /** Whose packets are sent, and since when: they may come from another SSRC, or begin anew. */
  #source: ProducerStream | undefined;
  #epoch = 0;
  /** What is added to its timestamps, signed 32 bits. */
  #timestampOffset = 0;

  constructor(options: OutputStreamOptions) {
    const { consumerId, params, sender, producerParameters, consumerParameters, producerStreams, random } = options;
    const maxAgeMs = mediaKindOf(params) === 'video' ? STORED_VIDEO_MS : STORED_AUDIO_MS;
    this.sent = new SentStream(params, {
      buffer: new RetransmissionBuffer(maxAgeMs),
      firstRtxSequenceNumber: Math.floor(random() * 0x10000),
    });
    this.numbers = new SequenceRewriter({ firstOutput: Math.floor(random() * 0x10000) });
    this.#writer = new PacketWriter(consumerId, sender, producerParameters, consumerParameters);
    this.#sender = sender;
    this.#producerStreams = producerStreams;
    this.#trace = options.trace;
    this.#onBegin = options.onBegin;
    this.#codec = knownCodecOf(params.mimeType);
    this.#payload = new ProducerPayload(this.#codec, 0);
    const { payloadType, ssrc } = params;
    this.#header = { payloadType, ssrc, sequenceNumber: 0, timestamp: 0, marker: false };
  }

  /**
   * Sends a copy of a packet.
   * @param picture numbers of the picture where they are to be others
   */
  send(
    packet: ProducerPacket,
    stream: ProducerStream,
    sequenceNumber: number,
    timestamp: number,
    marker: boolean,
    payloadType: number,
    nowMs: number,
    picture?: PictureReplacement,
  ): boolean {
    const { view, payload } = packet;
    const header = this.#header;
    const begins = this.sent.begins(timestamp, nowMs);
    // FFmpeg wants it before the packet, or begins with a frame out of place; GStreamer does not take it before.
    if (begins) this.#onBegin(this);
    header.payloadType = payloadType;
    header.ssrc = this.sent.params.ssrc;
    header.sequenceNumber = sequenceNumber;
    header.timestamp = timestamp;
    header.marker = marker;
    if (!this.#writer.write(view, payload, header, -1, packet.paddingBytes)) return false;
    if (picture !== undefined) this.#rewritePicture(stream.payload, packet.contentsAt, picture);
    if (this.#trace.isOn && this.#writer.look(this.#view)) this.#trace.packet('out', this.#view, stream.payload, false);
    const sentBytes = this.#writer.send('media', nowMs);
    if (sentBytes === 0) return false;
    this.sent.sent(sentBytes, payload.length, timestamp, nowMs);
    if (packet.storeIndex >= 0 && this.sent.buffer !== undefined) {
      let rewritten = stream.params.encodingIdx << 24;
      if (marker) rewritten |= MARKER_BIT;
      if (picture !== undefined) {
        rewritten |= REWRITTEN_BIT | (picture.pictureId & 0x7fff) | ((picture.tl0PictureIndex & 0xff) << 15);
      }
      this.sent.buffer.add(sequenceNumber, packet.storeIndex, timestamp, rewritten >>> 0, nowMs);
    }
    if (begins) this.#onBegin(this);
    return true;
  }

  /** Whether what is sent is this stream, as it is since it began anew. */
  isOf(stream: ProducerStream): boolean {
    return stream === this.#source && stream.epoch === this.#epoch;
  }

  /**
   * From its packet with this timestamp on this stream is sent: timestamps go on from those of the one before. Those of the
   * first are sent as they are.
   * @param aligned as of `SentStream.timestampAt`
   */
  follow(stream: ProducerStream, timestamp: number, nowMs: number, aligned?: number): void {
    this.#source = stream;
    this.#epoch = stream.epoch;
    const next = this.sent.timestampAt(nowMs, aligned);
    if (next !== undefined) this.#timestampOffset = (next - timestamp) | 0;
  }

  /** The timestamp, 32 bits, with which a packet of what is followed is sent. */
  timestampOf(timestamp: number): number {
    return (timestamp + this.#timestampOffset) >>> 0;
  }

  /** What to report of it now; nothing before it begins. */
  senderReports(now: NtpTime, nowMs: number): readonly SenderReport[] {
    const captured = this.#source?.received.clock.timestampAt(nowMs);
    return this.sent.senderReports(now, nowMs, captured === undefined ? undefined : captured + this.#timestampOffset);
  }

  /**
   * Sends nothing but padding, with the number that was kept for a packet that came late and is not for this viewer: it
   * would be waited for.
   */
  fill({ view }: ProducerPacket, sequenceNumber: number, timestamp: number, payloadType: number, nowMs: number): void {
    const header = this.#header;
    header.payloadType = payloadType;
    header.ssrc = this.sent.params.ssrc;
    header.sequenceNumber = sequenceNumber;
    header.timestamp = timestamp;
    header.marker = false;
    if (!this.#writer.write(view, NOTHING, header, -1, 1)) return;
    const sentBytes = this.#writer.send('media', nowMs);
    if (sentBytes > 0) this.sent.sent(sentBytes, 0, timestamp, nowMs);
  }

  /** Sends packets again, as many of those that were asked for as are there and not under way. */
  answerNack(sequenceNumbers: readonly number[], payloadType: number, nowMs: number): void {
    this.sent.receiveNack(sequenceNumbers.length);
    for (const sequenceNumber of sequenceNumbers) {
      if (this.sent.answer(sequenceNumber, nowMs) === 'allowed') this.#resend(sequenceNumber, payloadType, nowMs);
    }
  }

  #resend(sequenceNumber: number, payloadType: number, nowMs: number): void {
    const buffer = this.sent.buffer!;
    const { storeIndex, timestamp, rewritten } = buffer;
    const stream = this.#producerStreams[(rewritten >>> 24) & (MAX_ENCODINGS - 1)];
    const view = this.#view;
    if (stream === undefined || !stream.store.look(storeIndex, view, nowMs)) return;
    const { params } = this.sent;
    const header = this.#header;
    const isRtx = params.rtxSsrc !== undefined && params.rtxPayloadType !== undefined;
    header.payloadType = isRtx ? params.rtxPayloadType! : payloadType;
    header.ssrc = isRtx ? params.rtxSsrc! : params.ssrc;
    header.sequenceNumber = isRtx ? this.sent.takeRtxSequenceNumber() : sequenceNumber;
    header.timestamp = timestamp;
    header.marker = (rewritten & MARKER_BIT) !== 0;
    const payload = view.bytes.subarray(view.payloadStart, view.payloadEnd);
    if (!this.#writer.write(view, payload, header, isRtx ? sequenceNumber : -1)) return;
    const isRewritten = (rewritten & REWRITTEN_BIT) !== 0;
    if (isRewritten || this.#trace.isOn) this.#payload.read(view);
    if (isRewritten) {
      this.#picture.pictureId = rewritten & 0x7fff;
      this.#picture.tl0PictureIndex = (rewritten >>> 15) & 0xff;
      this.#rewritePicture(this.#payload, view.payloadStart, this.#picture);
    }
    // The stored packet is not looked at any more.
    if (this.#trace.isOn && this.#writer.look(view)) this.#trace.packet('out', view, this.#payload, isRtx);
    const sentBytes = this.#writer.send(isRtx ? 'rtx' : 'repeat', nowMs);
    if (sentBytes > 0) this.sent.resent(sentBytes, payload.length, nowMs);
  }

  #rewritePicture(payload: ProducerPayload, payloadStart: number, picture: PictureReplacement): void {
    const out = this.#sender.bytes;
    const shift = this.#writer.payloadAt - payloadStart;
    if (this.#codec === 'vp8') rewritePictureNumbers(out, shift, payload.vp8, picture);
    else if (this.#codec === 'vp9') rewritePictureNumbers(out, shift, payload.vp9, picture);
  }
}
