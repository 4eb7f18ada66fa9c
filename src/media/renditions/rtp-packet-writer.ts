import type { PayloadWriter } from '../../protocol/rtp/payload/packetizer.ts';
import type { SrtpSender } from '../../protocol/srtp/srtp-sender.ts';

/** Largest RTP packet made unless asked otherwise, bytes: with IPv6, UDP and an SRTP tag it still fits into 1,500. */
export const DEFAULT_RTP_PACKET_BYTES = 1440;

/** `$`, channel and length in front of each packet (RFC 2326 §10.12). */
export const INTERLEAVED_HEADER_BYTES = 4;

/** RTP header without contributing sources or extension (RFC 3550 §5.1). */
export const RTP_HEADER_BYTES = 12;

/** Room behind which a packet's payload begins. */
const PACKET_OVERHEAD_BYTES: number = INTERLEAVED_HEADER_BYTES + RTP_HEADER_BYTES;

const FIRST_SLAB_BYTES = 16 * 1024;
const LARGEST_SLAB_BYTES = 256 * 1024;

/** What the packets of one track have in their headers, and what was counted of them. */
export interface RtpTrackState {
  /** Interleaved channel of its RTP packets, even. */
  readonly channel: number;
  readonly payloadType: number;
  readonly ssrc: number;
  /** Of the packet to be made next, 16 bits. */
  sequenceNumber: number;
  /** Packets made so far. */
  packets: number;
  /** Payload bytes in them. */
  payloadBytes: number;
}

/**
 * Writes the RTP packets of frames, each as an interleaved frame, one behind the other into buffers that hold many
 * frames: a buffer is made when the one before is full, and what of it is handed out is never touched again.
 *
 *     '$'  channel(8)  length(16)
 *     V=2 P=0 X=0 CC=0  M PT(7)  sequence number(16)
 *     timestamp(32)
 *     SSRC(32)
 */
export class RtpPacketWriter implements PayloadWriter {
  readonly maxPayloadSize: number;
  readonly #protector: Pick<SrtpSender, 'protectRtp' | 'rtpOverheadBytes'> | undefined;
  readonly #overheadBytes: number;
  #slab: Uint8Array = new Uint8Array(0);
  #slabBytes = FIRST_SLAB_BYTES;
  #at = 0;
  /** Where the frame being written begins. */
  #frameStart = 0;
  /** Where the packet being written begins. */
  #packetStart = 0;
  #track: RtpTrackState | undefined;
  #timestamp = 0;

  /**
   * @param maxPacketBytes most bytes of an RTP packet with its header
   * @param protector makes SRTP of each packet, once for all who read it
   */
  constructor(
    maxPacketBytes: number = DEFAULT_RTP_PACKET_BYTES,
    protector?: Pick<SrtpSender, 'protectRtp' | 'rtpOverheadBytes'>,
  ) {
    this.#protector = protector;
    this.#overheadBytes = protector?.rtpOverheadBytes ?? 0;
    this.maxPayloadSize = maxPacketBytes - RTP_HEADER_BYTES - this.#overheadBytes;
  }

  /**
   * Begins the packets of a frame.
   * @param timestamp RTP timestamp of the frame, taken modulo 2^32
   * @param payloadBytes about how much will be written, so that the frame need not be moved to another buffer
   */
  begin(track: RtpTrackState, timestamp: number, payloadBytes: number): void {
    this.#track = track;
    this.#timestamp = timestamp >>> 0;
    const packets = 2 + Math.ceil(payloadBytes / this.maxPayloadSize);
    const expectedBytes = payloadBytes + packets * (PACKET_OVERHEAD_BYTES + 4 + this.#overheadBytes);
    if (this.#slab.length - this.#at < expectedBytes) {
      this.#slab = new Uint8Array(Math.max(expectedBytes, this.#nextSlabBytes()));
      this.#at = 0;
    }
    this.#frameStart = this.#at;
  }

  /** The packets written since `begin`: the caller's for good, and part of a larger buffer. */
  finish(): Uint8Array {
    return this.#slab.subarray(this.#frameStart, this.#at);
  }

  open(timestampDelta = 0): void {
    const needed = PACKET_OVERHEAD_BYTES + this.maxPayloadSize + this.#overheadBytes;
    if (this.#slab.length - this.#at < needed) this.#moveFrame(needed);
    const slab = this.#slab;
    const track = this.#track!;
    const timestamp = this.#timestamp + timestampDelta;
    const at = this.#at;
    this.#packetStart = at;
    slab[at] = 0x24;
    slab[at + 1] = track.channel;
    slab[at + 4] = 0x80;
    slab[at + 5] = track.payloadType;
    slab[at + 6] = track.sequenceNumber >>> 8;
    slab[at + 7] = track.sequenceNumber;
    slab[at + 8] = timestamp >>> 24;
    slab[at + 9] = timestamp >>> 16;
    slab[at + 10] = timestamp >>> 8;
    slab[at + 11] = timestamp;
    slab[at + 12] = track.ssrc >>> 24;
    slab[at + 13] = track.ssrc >>> 16;
    slab[at + 14] = track.ssrc >>> 8;
    slab[at + 15] = track.ssrc;
    this.#at = at + PACKET_OVERHEAD_BYTES;
  }

  u8(value: number): void {
    this.#slab[this.#at++] = value;
  }

  u16(value: number): void {
    const at = this.#at;
    this.#slab[at] = value >>> 8;
    this.#slab[at + 1] = value;
    this.#at = at + 2;
  }

  u32(value: number): void {
    const at = this.#at;
    this.#slab[at] = value >>> 24;
    this.#slab[at + 1] = value >>> 16;
    this.#slab[at + 2] = value >>> 8;
    this.#slab[at + 3] = value;
    this.#at = at + 4;
  }

  raw(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    this.#slab.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), this.#at);
    this.#at += end - start;
  }

  close(marker: boolean): void {
    const slab = this.#slab;
    const track = this.#track!;
    const start = this.#packetStart;
    const rtpStart = start + INTERLEAVED_HEADER_BYTES;
    if (marker) slab[start + 5]! |= 0x80;
    track.sequenceNumber = (track.sequenceNumber + 1) & 0xffff;
    track.packets++;
    track.payloadBytes += this.#at - rtpStart - RTP_HEADER_BYTES;
    if (this.#protector !== undefined) {
      const end = this.#protector.protectRtp(slab, rtpStart, this.#at);
      if (end === 0) {
        // Not to be sent in clear, whatever the reason.
        this.#at = start;
        return;
      }
      this.#at = end;
    }
    const packetBytes = this.#at - rtpStart;
    slab[start + 2] = packetBytes >>> 8;
    slab[start + 3] = packetBytes;
  }

  /** The frame has more overhead than expected: it goes on in a buffer with room, what there is of it in front. */
  #moveFrame(neededBytes: number): void {
    const frame = this.finish();
    const slab = new Uint8Array(Math.max((frame.length + neededBytes) * 2, this.#nextSlabBytes()));
    slab.set(frame);
    this.#slab = slab;
    this.#frameStart = 0;
    this.#at = frame.length;
  }

  /** Small at first: a stream of sound alone would take minutes to fill a large one. */
  #nextSlabBytes(): number {
    const sizeBytes = this.#slabBytes;
    this.#slabBytes = Math.min(sizeBytes * 2, LARGEST_SLAB_BYTES);
    return sizeBytes;
  }
}
