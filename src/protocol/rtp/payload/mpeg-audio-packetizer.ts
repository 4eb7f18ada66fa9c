import { parseMpegAudioHeader } from '../../../codec/mp3/mpeg-audio-frame.ts';
import type { Packetizer, PayloadWriter } from './packetizer.ts';

/** RTP timestamp units a second, whatever the sample rate. */
export const MPEG_AUDIO_CLOCK_RATE = 90_000;

/** Bytes of the MPEG audio header in front of each packet's data. */
export const MPEG_AUDIO_HEADER_BYTES = 4;

/** Largest offset of a part that 16 bits say. */
const MAX_OFFSET = 0xffff;

/**
 * MPEG audio (RFC 2250 §3.5): as many whole frames of a payload in a packet as fit; a frame that does not fit alone in
 * parts. The marker stays 0: nobody leaves silence out here.
 *
 *     0(16)  offset of the data in its frame(16)  frames or part of one
 */
export class MpegAudioPacketizer implements Packetizer {
  write(payload: Uint8Array, _isKeyFrame: boolean, out: PayloadWriter): void {
    const room = out.maxPayloadSize - MPEG_AUDIO_HEADER_BYTES;
    if (payload.length === 0 || room <= 0) return;
    if (payload.length <= room) {
      writePart(out, 0, 0, payload, 0, payload.length);
      return;
    }
    // Only here does it matter where frames begin.
    let start = 0;
    let end = 0;
    let startDelta = 0;
    let delta = 0;
    while (end < payload.length) {
      const header = parseMpegAudioHeader(payload, end);
      const frameEnd = Math.min(end + (header?.frameBytes ?? payload.length), payload.length);
      if (frameEnd - start > room) {
        writeFrames(out, startDelta, payload, start, end);
        start = end;
        startDelta = delta;
      }
      end = frameEnd;
      if (header !== undefined) delta += (header.samples * MPEG_AUDIO_CLOCK_RATE) / header.sampleRate;
    }
    writeFrames(out, startDelta, payload, start, end);
  }
}

/** Writes `payload[start..end]`, which is empty, frames that fit together, or one frame that may not fit. */
function writeFrames(out: PayloadWriter, delta: number, payload: Uint8Array, start: number, end: number): void {
  const room = out.maxPayloadSize - MPEG_AUDIO_HEADER_BYTES;
  const timestampDelta = Math.round(delta);
  if (end - start > MAX_OFFSET) return;
  for (let at = start; at < end; at += room) {
    writePart(out, timestampDelta, at - start, payload, at, Math.min(at + room, end));
  }
}

function writePart(
  out: PayloadWriter,
  delta: number,
  offset: number,
  payload: Uint8Array,
  start: number,
  end: number,
): void {
  out.open(delta);
  out.u32(offset);
  out.raw(payload, start, end);
  out.close(false);
}
