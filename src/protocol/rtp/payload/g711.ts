import { MAX_AUDIO_CHANNELS } from './mapping-parameters.ts';
import type { PayloadFormat } from './payload-format.ts';
import { sampleFormat } from './sample-format.ts';

/** G.711 µ-law (RFC 3551 §4.5.14): static payload type 0 for 8 kHz mono. */
export const PCMU_FORMAT: PayloadFormat = sampleFormat({
  codec: 'g711u',
  encodingName: 'PCMU',
  bitsPerTick: 8,
  samplesPerTick: 1,
  maxChannels: MAX_AUDIO_CHANNELS,
  staticTypes: [{ payloadType: 0, clockRate: 8000, channels: 1 }],
});

/** G.711 A-law (RFC 3551 §4.5.14): static payload type 8 for 8 kHz mono. */
export const PCMA_FORMAT: PayloadFormat = sampleFormat({
  codec: 'g711a',
  encodingName: 'PCMA',
  bitsPerTick: 8,
  samplesPerTick: 1,
  maxChannels: MAX_AUDIO_CHANNELS,
  staticTypes: [{ payloadType: 8, clockRate: 8000, channels: 1 }],
});
