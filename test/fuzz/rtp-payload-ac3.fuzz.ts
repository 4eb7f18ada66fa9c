import type { Track } from '../../src/codec/track.ts';
import { AC3_FORMAT, EAC3_FORMAT } from '../../src/protocol/rtp/payload/ac3.ts';
import type { PayloadFormat } from '../../src/protocol/rtp/payload/payload-format.ts';
import { audioMapping } from '../rtp-audio-fixtures.ts';
import { type AudioCase, runAudioFormat } from './rtp-payload-audio-run.ts';

export const name = 'rtp-payload-ac3';

/** The format with tracks whose rate is known, which else the first frame tells. */
function withRate(format: PayloadFormat): PayloadFormat {
  const audio = { sampleRate: 48_000, channels: 2, profile: '', codecString: '' };
  return {
    ...format,
    toTrack: (mapping, trackId): Track | undefined => {
      const track = format.toTrack(mapping, trackId);
      return track && { ...track, audio };
    },
  };
}

const CASES: readonly AudioCase[] = [
  [withRate(AC3_FORMAT), audioMapping('AC3', 44_100, 2)],
  [withRate(EAC3_FORMAT), audioMapping('EAC3', 48_000, 6)],
];

/** AC-3 and E-AC-3 over RTP. */
export function run(bytes: Uint8Array): void {
  runAudioFormat(CASES, bytes, 'same');
}
