import type { PayloadFormat } from './payload-format.ts';
import { sampleFormat } from './sample-format.ts';

/**
 * G.722 at 64 kbit/s (RFC 3551 §4.5.2). It has 16,000 samples a second, but its RTP clock was once written down as
 * 8,000 and has stayed so: each clock unit has two samples in one byte.
 */
export const G722_FORMAT: PayloadFormat = sampleFormat({
  codec: 'g722',
  encodingName: 'G722',
  bitsPerTick: 8,
  samplesPerTick: 2,
  maxChannels: 1,
  staticTypes: [{ payloadType: 9, clockRate: 8000, channels: 1 }],
});
