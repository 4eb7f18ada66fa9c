import type { AudioCodec } from '../../../codec/track.ts';
import { MAX_AUDIO_CHANNELS } from './mapping-parameters.ts';
import type { PayloadFormat } from './payload-format.ts';
import { type SampleEncoding, sampleFormat } from './sample-format.ts';

function linear(codec: AudioCodec, bits: number, staticTypes: SampleEncoding['staticTypes'] = []): PayloadFormat {
  const encodingName = `L${bits}`;
  const maxChannels = MAX_AUDIO_CHANNELS;
  return sampleFormat({ codec, encodingName, bitsPerTick: bits, samplesPerTick: 1, maxChannels, staticTypes });
}

/** Unsigned samples of 8 bits (RFC 3551 §4.5.10). */
export const L8_FORMAT: PayloadFormat = linear('l8', 8);

/** Samples of 16 bits (RFC 3551 §4.5.11): static payload types 10 and 11 for 44.1 kHz stereo and mono. */
export const L16_FORMAT: PayloadFormat = linear('l16', 16, [
  { payloadType: 10, clockRate: 44_100, channels: 2 },
  { payloadType: 11, clockRate: 44_100, channels: 1 },
]);

/** Samples of 20 bits, packed without gaps (RFC 3190 §4). */
export const L20_FORMAT: PayloadFormat = linear('l20', 20);

/** Samples of 24 bits (RFC 3190 §4). */
export const L24_FORMAT: PayloadFormat = linear('l24', 24);
