import { VP8_FORMAT } from '../../src/protocol/rtp/payload/vp8-format.ts';
import { mappingOf } from '../rtp-payload-test-kit.ts';
import { runPayloadFormat } from './rtp-payload-run.ts';

export const name = 'rtp-payload-vp8';

const MAPPINGS = [mappingOf('VP8')];

/** VP8 over RTP: the input as packets. */
export function run(bytes: Uint8Array): void {
  runPayloadFormat(VP8_FORMAT, MAPPINGS, bytes);
}
