import { DVI4_FORMAT } from '../../src/protocol/rtp/payload/dvi4.ts';
import { PCMU_FORMAT } from '../../src/protocol/rtp/payload/g711.ts';
import { L16_FORMAT, L20_FORMAT } from '../../src/protocol/rtp/payload/linear-pcm.ts';
import { audioMapping } from '../rtp-audio-fixtures.ts';
import { type AudioCase, runAudioFormat } from './rtp-payload-audio-run.ts';

export const name = 'rtp-payload-samples';

const CASES: readonly AudioCase[] = [
  [PCMU_FORMAT, audioMapping('PCMU', 8000)],
  [L16_FORMAT, audioMapping('L16', 44_100, 2)],
  [L20_FORMAT, audioMapping('L20', 48_000, 3)],
];
const DVI4: readonly AudioCase[] = [[DVI4_FORMAT, audioMapping('DVI4', 8000)]];

/** Samples over RTP. */
export function run(bytes: Uint8Array): void {
  runAudioFormat(CASES, bytes, 'joined');
  runAudioFormat(DVI4, bytes, 'any');
}
