import { MPEG_AUDIO_FORMAT } from '../../src/protocol/rtp/payload/mpeg-audio.ts';
import { audioMapping } from '../rtp-audio-fixtures.ts';
import { type AudioCase, runAudioFormat } from './rtp-payload-audio-run.ts';

export const name = 'rtp-payload-mpeg-audio';

const CASES: readonly AudioCase[] = [
  [MPEG_AUDIO_FORMAT, audioMapping('MPA', 90_000)],
  [MPEG_AUDIO_FORMAT, audioMapping('MPA', 90_000, undefined, 'layer=2')],
];

/** MPEG audio over RTP. */
export function run(bytes: Uint8Array): void {
  runAudioFormat(CASES, bytes, 'same');
}
