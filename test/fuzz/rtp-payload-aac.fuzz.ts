import { parseStreamMuxConfig } from '../../src/codec/aac/stream-mux-config.ts';
import { AAC_FORMAT } from '../../src/protocol/rtp/payload/aac.ts';
import { audioMapping } from '../rtp-audio-fixtures.ts';
import { type AudioCase, runAudioFormat } from './rtp-payload-audio-run.ts';

export const name = 'rtp-payload-aac';

const FIELDS =
  'ctsdeltalength=8;dtsdeltalength=6;randomaccessindication=1;streamstateindication=2;auxiliarydatasizelength=8';

const CASES: readonly AudioCase[] = [
  [AAC_FORMAT, audioMapping('MPEG4-GENERIC', 48_000, 2, 'mode=AAC-hbr;config=1190')],
  [AAC_FORMAT, audioMapping('MP4A-LATM', 48_000, 2, 'cpresent=0;config=400023203fc0')],
  [AAC_FORMAT, audioMapping('MP4A-LATM', 90_000, 2, 'cpresent=1')],
  [AAC_FORMAT, audioMapping('MPEG4-GENERIC', 48_000, 2, 'mode=AAC-lbr;config=1190;maxdisplacement=4096')],
  [
    AAC_FORMAT,
    audioMapping('MPEG4-GENERIC', 8000, 1, `mode=generic;sizelength=16;indexlength=2;indexdeltalength=2;${FIELDS}`),
  ],
  [AAC_FORMAT, audioMapping('MPEG4-GENERIC', 8000, 1, 'mode=generic;constantsize=20')],
];

/** AAC over RTP, in MPEG4-GENERIC and in LATM: the input as packets, and as StreamMuxConfig. */
export function run(bytes: Uint8Array): void {
  runAudioFormat(CASES, bytes, 'same');
  parseStreamMuxConfig(bytes);
}
