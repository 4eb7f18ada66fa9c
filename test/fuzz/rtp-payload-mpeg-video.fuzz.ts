import { MPEG_VIDEO_FORMAT } from '../../src/protocol/rtp/payload/mpeg-video-format.ts';
import { mappingOf } from '../rtp-payload-test-kit.ts';
import { runPayloadFormat } from './rtp-payload-run.ts';

export const name = 'rtp-payload-mpeg-video';

const MAPPINGS = [mappingOf('MPV')];

/** MPEG-1 and MPEG-2 video over RTP: the input as packets. */
export function run(bytes: Uint8Array): void {
  runPayloadFormat(MPEG_VIDEO_FORMAT, MAPPINGS, bytes);
}
