import { type AdtsFraming, createAdtsFraming } from '../../codec/aac/adts.ts';
import { parseAudioSpecificConfig } from '../../codec/aac/audio-specific-config.ts';
import type { Frame } from '../../codec/frame.ts';
import type { Track } from '../../codec/track.ts';

const NO_OUTPUT: Uint8Array = new Uint8Array(0);

function framingOf(track: Track): AdtsFraming | undefined {
  const config = track.codec === 'aac' ? parseAudioSpecificConfig(track.config) : undefined;
  return config && createAdtsFraming(config);
}

/** Whether `AdtsMuxer` can write this track: AAC of an object type and rate that ADTS can say. */
export function isAdtsTrack(track: Track): boolean {
  return framingOf(track) !== undefined;
}

/** Writes AAC frames as an ADTS stream, the form of `.aac` (ISO/IEC 14496-3 §1.A.2). A player may begin at any frame. */
export class AdtsMuxer {
  #track: Track | undefined;
  #framing: AdtsFraming | undefined;

  /**
   * The frame behind its ADTS header in a new buffer of exactly the size; empty for a frame of another codec, of a
   * configuration that ADTS cannot say, or too long for it. Follows changes of `frame.track`.
   */
  mux(frame: Frame): Uint8Array {
    if (frame.track !== this.#track) {
      this.#track = frame.track;
      this.#framing = framingOf(frame.track);
    }
    const { payload } = frame;
    const framing = this.#framing;
    if (framing === undefined || payload.length === 0 || payload.length > framing.maxPayloadBytes) return NO_OUTPUT;
    const bytes = new Uint8Array(framing.headerBytes + payload.length);
    framing.writeHeader(bytes, 0, payload.length);
    bytes.set(payload, framing.headerBytes);
    return bytes;
  }
}
