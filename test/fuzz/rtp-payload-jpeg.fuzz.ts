import { parseBaselineJpeg } from '../../src/codec/jpeg/baseline-jpeg.ts';
import { JPEG_FORMAT } from '../../src/protocol/rtp/payload/jpeg-format.ts';
import { mappingOf } from '../rtp-payload-test-kit.ts';
import { runPayloadFormat } from './rtp-payload-run.ts';

export const name = 'rtp-payload-jpeg';

const MAPPINGS = [mappingOf('JPEG')];

/** JPEG over RTP: the input as packets and as an image. */
export function run(bytes: Uint8Array): void {
  runPayloadFormat(JPEG_FORMAT, MAPPINGS, bytes, { rebuildsHeaders: true });
  parseBaselineJpeg(bytes);
}
