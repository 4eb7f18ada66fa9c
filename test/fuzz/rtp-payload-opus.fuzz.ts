import { splitOpusFrames } from '../../src/codec/opus/opus-packet-frames.ts';
import { OPUS_FORMAT } from '../../src/protocol/rtp/payload/opus.ts';
import { audioMapping } from '../rtp-audio-fixtures.ts';
import { type AudioCase, runAudioFormat } from './rtp-payload-audio-run.ts';

export const name = 'rtp-payload-opus';

const CASES: readonly AudioCase[] = [
  [OPUS_FORMAT, audioMapping('opus', 48_000, 2)],
  [OPUS_FORMAT, audioMapping('opus', 48_000, 2, 'sprop-stereo=1')],
];

/** Opus over RTP, and the frames of a packet. */
export function run(bytes: Uint8Array): void {
  runAudioFormat(CASES, bytes, 'any');
  splitOpusFrames(bytes);
}
