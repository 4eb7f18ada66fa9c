import { AMR_FORMAT, AMR_WB_FORMAT } from '../../src/protocol/rtp/payload/amr.ts';
import { audioMapping } from '../rtp-audio-fixtures.ts';
import { type AudioCase, runAudioFormat } from './rtp-payload-audio-run.ts';

export const name = 'rtp-payload-amr';

const CASES: readonly AudioCase[] = [
  [AMR_FORMAT, audioMapping('AMR', 8000, 1, 'octet-align=1')],
  [AMR_WB_FORMAT, audioMapping('AMR-WB', 16_000, 1, 'octet-align=1')],
  [AMR_FORMAT, audioMapping('AMR', 8000, 1)],
  [AMR_WB_FORMAT, audioMapping('AMR-WB', 16_000, 1)],
];

/** AMR and AMR-WB over RTP, octet-aligned and bandwidth-efficient. */
export function run(bytes: Uint8Array): void {
  runAudioFormat(CASES, bytes, 'same');
}
