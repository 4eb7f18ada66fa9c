import { MP2T_FORMAT } from '../../src/protocol/rtp/payload/mp2t.ts';
import { audioMapping } from '../rtp-audio-fixtures.ts';
import { type AudioCase, runAudioFormat } from './rtp-payload-audio-run.ts';

export const name = 'rtp-payload-mp2t';

const CASES: readonly AudioCase[] = [[MP2T_FORMAT, audioMapping('MP2T', 90_000)]];

/** Transport streams over RTP. */
export function run(bytes: Uint8Array): void {
  runAudioFormat(CASES, bytes, 'joined');
}
