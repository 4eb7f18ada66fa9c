import { isVorbisHeaders, parseVorbisModes } from '../../src/codec/vorbis/vorbis-headers.ts';
import { parseXiphLacing } from '../../src/codec/xiph/xiph-lacing.ts';
import { VORBIS_FORMAT } from '../../src/protocol/rtp/payload/vorbis.ts';
import { parseXiphConfigurations } from '../../src/protocol/rtp/payload/xiph-packed-headers.ts';
import { audioMapping, readAudioMapping } from '../rtp-audio-fixtures.ts';
import { type AudioCase, runAudioFormat } from './rtp-payload-audio-run.ts';

export const name = 'rtp-payload-vorbis';

const CASES: readonly AudioCase[] = [
  [VORBIS_FORMAT, readAudioMapping('vorbis-gstreamer')],
  [VORBIS_FORMAT, audioMapping('VORBIS', 48_000, 2)],
];

/** Vorbis over RTP: the input as packets, and as headers in each of their forms. */
export function run(bytes: Uint8Array): void {
  runAudioFormat(CASES, bytes, 'same');
  parseXiphConfigurations(bytes);
  isVorbisHeaders(parseXiphLacing(bytes) ?? []);
  parseVorbisModes(bytes);
}
