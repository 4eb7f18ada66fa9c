import { parseAc3SyncInfo } from '../../src/codec/ac3/sync-info.ts';
import { parseMpegAudioHeader } from '../../src/codec/mp3/mpeg-audio-frame.ts';
import { parseOpusHead, writeOpusHead } from '../../src/codec/opus/opus-head.ts';
import { MAX_OPUS_PACKET_US, opusPacketDurationUs } from '../../src/codec/opus/opus-packet.ts';
import { audioDetails, isKeyFramePayload, videoDetails } from '../../src/codec/track-details.ts';
import { parseVpCodecConfiguration, writeVpCodecConfiguration } from '../../src/codec/vp9/vp-codec-configuration.ts';
import { expectSameBytes } from './expect-same.ts';

export const name = 'codec';

/** Every codec without a target of its own: the input as configuration and as first frame. */
export function run(bytes: Uint8Array): void {
  for (const codec of ['vp8', 'vp9'] as const) {
    videoDetails(codec, bytes, bytes);
    isKeyFramePayload(codec, bytes, 4);
  }
  for (const codec of ['mp3', 'opus', 'ac3', 'eac3', 'flac'] as const) audioDetails(codec, bytes, bytes);
  const head = parseOpusHead(bytes);
  if (head !== undefined) {
    const written = writeOpusHead(head);
    const again = parseOpusHead(written);
    expectSameBytes(again && writeOpusHead(again), written, 'OpusHeads written twice');
  }
  const record = parseVpCodecConfiguration(bytes);
  if (record !== undefined) {
    const written = writeVpCodecConfiguration(record);
    const again = parseVpCodecConfiguration(written);
    expectSameBytes(again && writeVpCodecConfiguration(again), written, 'vpcCs written twice');
  }
  if ((opusPacketDurationUs(bytes) ?? 0) > MAX_OPUS_PACKET_US) throw new RangeError('an Opus packet above 120 ms');
  for (const size of [parseMpegAudioHeader(bytes)?.frameBytes, parseAc3SyncInfo(bytes)?.frameBytes]) {
    if (size !== undefined && !(size > 1 && size < 8192)) throw new RangeError(`a frame of ${size} bytes`);
  }
}
