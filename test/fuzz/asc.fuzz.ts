import { createAdtsFraming, parseAdtsHeader, splitAdtsFrames } from '../../src/codec/aac/adts.ts';
import { parseAudioSpecificConfig, writeAudioSpecificConfig } from '../../src/codec/aac/audio-specific-config.ts';
import { audioDetails } from '../../src/codec/track-details.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'asc';

/** Longest rest that may wait for more bytes. */
const MAX_REST_BYTES = 8191;

/** AAC: the input as AudioSpecificConfig and as ADTS stream. */
export function run(bytes: Uint8Array): void {
  audioDetails('aac', bytes);
  const config = parseAudioSpecificConfig(bytes);
  if (config !== undefined) {
    const written = writeAudioSpecificConfig(config);
    const again = parseAudioSpecificConfig(written);
    if (again !== undefined) {
      const once = writeAudioSpecificConfig(again);
      const twice = parseAudioSpecificConfig(once);
      expectSameBytes(twice && writeAudioSpecificConfig(twice), once, 'AudioSpecificConfigs written twice');
    }
    const framing = createAdtsFraming(config);
    if (framing !== undefined) {
      const frame = new Uint8Array(framing.headerBytes + 10);
      framing.writeHeader(frame, 0, 10);
      if (parseAdtsHeader(frame)?.frameBytes !== frame.length) throw new RangeError('ADTS header with another length');
    }
  }
  const { frames, consumedBytes } = splitAdtsFrames(bytes);
  const payloadBytes = frames.reduce((sum, frame) => sum + frame.payload.length, 0);
  if (payloadBytes > consumedBytes || bytes.length - consumedBytes > MAX_REST_BYTES) {
    throw new RangeError('ADTS frames do not add up');
  }
}
