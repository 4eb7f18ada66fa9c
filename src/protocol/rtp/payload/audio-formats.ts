import { AAC_FORMAT } from './aac.ts';
import { AC3_FORMAT, EAC3_FORMAT } from './ac3.ts';
import { AMR_FORMAT, AMR_WB_FORMAT } from './amr.ts';
import { DVI4_FORMAT } from './dvi4.ts';
import { PCMA_FORMAT, PCMU_FORMAT } from './g711.ts';
import { G722_FORMAT } from './g722.ts';
import { L8_FORMAT, L16_FORMAT, L20_FORMAT, L24_FORMAT } from './linear-pcm.ts';
import { MP2T_FORMAT } from './mp2t.ts';
import { MPEG_AUDIO_FORMAT } from './mpeg-audio.ts';
import { OPUS_FORMAT } from './opus.ts';
import type { PayloadFormat } from './payload-format.ts';
import { VORBIS_FORMAT } from './vorbis.ts';

/** Every payload format of sound, and that of transport streams. */
export const AUDIO_FORMATS: readonly PayloadFormat[] = [
  AAC_FORMAT,
  OPUS_FORMAT,
  MP2T_FORMAT,
  MPEG_AUDIO_FORMAT,
  AC3_FORMAT,
  EAC3_FORMAT,
  PCMU_FORMAT,
  PCMA_FORMAT,
  G722_FORMAT,
  L8_FORMAT,
  L16_FORMAT,
  L20_FORMAT,
  L24_FORMAT,
  DVI4_FORMAT,
  AMR_FORMAT,
  AMR_WB_FORMAT,
  VORBIS_FORMAT,
];
