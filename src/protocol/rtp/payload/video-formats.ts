import { AV1_FORMAT } from './av1-format.ts';
import { DV_FORMAT } from './dv-format.ts';
import { H264_FORMAT } from './h264-format.ts';
import { H265_FORMAT } from './h265-format.ts';
import { JPEG_FORMAT } from './jpeg-format.ts';
import { MP4V_FORMAT } from './mp4v-format.ts';
import { MPEG_VIDEO_FORMAT } from './mpeg-video-format.ts';
import type { PayloadFormat } from './payload-format.ts';
import { THEORA_FORMAT } from './theora-format.ts';
import { VP8_FORMAT } from './vp8-format.ts';
import { VP9_FORMAT } from './vp9-format.ts';

/** Every payload format of video. */
export const VIDEO_FORMATS: readonly PayloadFormat[] = [
  H264_FORMAT,
  H265_FORMAT,
  VP8_FORMAT,
  VP9_FORMAT,
  AV1_FORMAT,
  MPEG_VIDEO_FORMAT,
  MP4V_FORMAT,
  THEORA_FORMAT,
  DV_FORMAT,
  JPEG_FORMAT,
];
