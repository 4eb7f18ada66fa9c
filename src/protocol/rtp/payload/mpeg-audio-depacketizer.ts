import { type MpegAudioHeader, parseMpegAudioHeader } from '../../../codec/mp3/mpeg-audio-frame.ts';
import type { AudioCodec } from '../../../codec/track.ts';
import type { DepacketizedUnit, Depacketizer, RtpPayload } from './depacketizer.ts';
import { MPEG_AUDIO_CLOCK_RATE, MPEG_AUDIO_HEADER_BYTES } from './mpeg-audio-packetizer.ts';
import { UnitBuffer } from './unit-buffer.ts';

const NOTHING: readonly DepacketizedUnit[] = [];

/**
 * Frames of MPEG audio out of packets of RFC 2250 §3.5. A part is taken when all before it of the same frame were: its
 * offset and the size in the frame's header tell. Frames of free format, which have no size, are dropped, as is layer I.
 */
export class MpegAudioDepacketizer implements Depacketizer {
  readonly #codec: AudioCodec;
  readonly #parts: UnitBuffer = new UnitBuffer();
  /** Of the frame that comes in parts. */
  #header: MpegAudioHeader | undefined;
  #partsTimestamp = 0;
  /** Parts of a frame that was dropped or never began are coming in. */
  #isSkipping = false;
  dropped = 0;

  /** @param codec what the track of the mapping says; units of the other layer say so themselves */
  constructor(codec: AudioCodec) {
    this.#codec = codec;
  }

  receive(packet: RtpPayload): readonly DepacketizedUnit[] {
    const { payload, timestamp } = packet;
    if (packet.afterLoss) this.#dropParts();
    if (payload.length === 0) return NOTHING;
    if (payload.length <= MPEG_AUDIO_HEADER_BYTES) {
      this.#dropParts();
      this.dropped++;
      return NOTHING;
    }
    const offset = (payload[2]! << 8) | payload[3]!;
    if (offset > 0) return this.#part(payload, offset);
    this.#dropParts();
    this.#isSkipping = false;
    return this.#frames(payload, timestamp);
  }

  #frames(payload: Uint8Array, timestamp: number): readonly DepacketizedUnit[] {
    const units: DepacketizedUnit[] = [];
    let delta = 0;
    let at = MPEG_AUDIO_HEADER_BYTES;
    while (at < payload.length) {
      const header = parseMpegAudioHeader(payload, at);
      if (header === undefined || header.layer === 1) {
        this.dropped++;
        break;
      }
      const time = (timestamp + Math.round(delta)) >>> 0;
      const end = at + header.frameBytes;
      if (end > payload.length) {
        this.#header = header;
        this.#partsTimestamp = time;
        this.#parts.append(payload, at);
        break;
      }
      units.push(this.#unit(payload.slice(at, end), header, time));
      delta += (header.samples * MPEG_AUDIO_CLOCK_RATE) / header.sampleRate;
      at = end;
    }
    return units;
  }

  #part(payload: Uint8Array, offset: number): readonly DepacketizedUnit[] {
    const header = this.#header;
    if (header === undefined) {
      // One frame lost, however many of its parts come.
      if (!this.#isSkipping) this.dropped++;
      this.#isSkipping = true;
      return NOTHING;
    }
    const size = this.#parts.length + payload.length - MPEG_AUDIO_HEADER_BYTES;
    if (offset !== this.#parts.length || size > header.frameBytes) {
      this.#dropParts();
      return NOTHING;
    }
    this.#parts.append(payload, MPEG_AUDIO_HEADER_BYTES);
    if (size < header.frameBytes) return NOTHING;
    this.#header = undefined;
    return [this.#unit(this.#parts.take(), header, this.#partsTimestamp)];
  }

  #unit(payload: Uint8Array, header: MpegAudioHeader, timestamp: number): DepacketizedUnit {
    const codec: AudioCodec = header.layer === 2 ? 'mp2' : 'mp3';
    return { timestamp, payload, isKeyFrame: true, ...(codec !== this.#codec && { codec }) };
  }

  #dropParts(): void {
    if (this.#header === undefined) return;
    this.#header = undefined;
    this.#parts.clear();
    this.#isSkipping = true;
    this.dropped++;
  }
}
