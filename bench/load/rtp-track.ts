import { hasStamp } from './frame-stamp.ts';
import { MEDIA_HEAD_SIZE, type MessageSink } from './message-sink.ts';

const RTP_HEADER_SIZE = 12;
/** Where the first NAL unit stands in a video message: FLV video tag header and NAL unit length are in front of it. */
const NAL_UNIT_OFFSET = 9;
const NAL_LENGTH_SIZE = 4;
const SEI = 6;
const IDR = 5;
const AAC_FRAME_SAMPLES = 1024;
const AUDIO_HEAD = Uint8Array.of(0xaf, 1);

/**
 * Follows one RTP stream of H.264 (RFC 6184) or AAC (RFC 3640, AAC-hbr): counts packets and missing sequence numbers, and
 * tells of each frame as if it had come as an FLV tag, so that RTSP viewers are judged as all others are. It trusts the
 * server: for load generation only.
 */
export class RtpTrack {
  packets = 0;
  lost = 0;
  readonly #kind: 'video' | 'audio';
  readonly #clockRate: number;
  readonly #sink: MessageSink;
  readonly #head = new Uint8Array(MEDIA_HEAD_SIZE);
  #sequence = -1;
  #timestamp = -1;
  #timeMs = 0;
  #sizeBytes = 0;
  #key = false;
  #stamped = false;

  constructor(kind: 'video' | 'audio', clockRate: number, sink: MessageSink) {
    this.#kind = kind;
    this.#clockRate = clockRate;
    this.#sink = sink;
    this.#head[1] = 1;
  }

  /** One RTP packet: `bytes[start..start+length)`. */
  packet(bytes: Uint8Array, start: number, length: number): void {
    const first = bytes[start]!;
    const sequence = (bytes[start + 2]! << 8) | bytes[start + 3]!;
    const timestamp =
      (bytes[start + 4]! << 24) | (bytes[start + 5]! << 16) | (bytes[start + 6]! << 8) | bytes[start + 7]!;
    this.packets++;
    if (this.#sequence < 0) this.#timestamp = timestamp;
    else this.#count(sequence);
    this.#sequence = sequence;
    this.#timeMs += (((timestamp - this.#timestamp) | 0) * 1000) / this.#clockRate;
    this.#timestamp = timestamp;
    let at = start + RTP_HEADER_SIZE + (first & 15) * 4;
    if ((first & 0x10) !== 0) at += 4 + ((bytes[at + 2]! << 8) | bytes[at + 3]!) * 4;
    const end = start + length - ((first & 0x20) === 0 ? 0 : bytes[start + length - 1]!);
    if (at >= end) return;
    if (this.#kind === 'audio') this.#audio(bytes, at);
    else {
      this.#video(bytes, at, end);
      if ((bytes[start + 1]! & 0x80) !== 0) this.#frame();
    }
  }

  /** A packet that comes late or twice counts as one missing: nothing on loopback does that. */
  #count(sequence: number): void {
    const missing = (sequence - this.#sequence - 1) & 0xffff;
    this.lost += missing < 0x8000 ? missing : 1;
  }

  #video(bytes: Uint8Array, start: number, end: number): void {
    const type = bytes[start]! & 31;
    if (type === 24) {
      for (let at = start + 1; at + 2 < end; ) {
        const size = (bytes[at]! << 8) | bytes[at + 1]!;
        this.#unit(bytes, at + 2, size);
        at += 2 + size;
      }
    } else if (type === 28) {
      const begins = (bytes[start + 1]! & 0x80) !== 0;
      if ((bytes[start + 1]! & 31) === IDR) this.#key = true;
      this.#sizeBytes += end - start - 2 + (begins ? NAL_LENGTH_SIZE + 1 : 0);
    } else {
      this.#unit(bytes, start, end - start);
    }
  }

  #unit(bytes: Uint8Array, at: number, size: number): void {
    this.#sizeBytes += NAL_LENGTH_SIZE + size;
    const type = bytes[at]! & 31;
    if (type === IDR) this.#key = true;
    if (type !== SEI || this.#stamped) return;
    const kept = Math.min(size, MEDIA_HEAD_SIZE - NAL_UNIT_OFFSET);
    for (let i = 0; i < kept; i++) this.#head[NAL_UNIT_OFFSET + i] = bytes[at + i]!;
    this.#stamped = hasStamp(this.#head);
  }

  #frame(): void {
    this.#head[0] = this.#key ? 0x17 : 0x27;
    if (this.#stamped)
      this.#sink.message(9, this.#timeMs, NAL_UNIT_OFFSET - NAL_LENGTH_SIZE + this.#sizeBytes, this.#head);
    this.#sizeBytes = 0;
    this.#key = false;
    this.#stamped = false;
  }

  #audio(bytes: Uint8Array, start: number): void {
    const headersBytes = ((bytes[start]! << 8) | bytes[start + 1]!) >> 3;
    for (let i = 0; i * 2 < headersBytes; i++) {
      const header = start + 2 + i * 2;
      const size = ((bytes[header]! << 8) | bytes[header + 1]!) >> 3;
      const timeMs = this.#timeMs + (i * AAC_FRAME_SAMPLES * 1000) / this.#clockRate;
      this.#sink.message(8, timeMs, AUDIO_HEAD.length + size, AUDIO_HEAD);
    }
  }
}
