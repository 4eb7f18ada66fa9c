import { H264_FORMAT } from './h264-format.ts';
import type { PayloadFormat } from './payload-format.ts';

/** Every payload format of video. */
export const VIDEO_FORMATS: readonly PayloadFormat[] = [H264_FORMAT];
