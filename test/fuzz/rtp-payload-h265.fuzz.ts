import { H265_FORMAT } from '../../src/protocol/rtp/payload/h265-format.ts';
import { mappingOf } from '../rtp-payload-test-kit.ts';
import { runPayloadFormat } from './rtp-payload-run.ts';

export const name = 'rtp-payload-h265';

const MAPPINGS = [mappingOf('H265'), mappingOf('H265', 'sprop-max-don-diff=2;sprop-depack-buf-nalus=3')];

/** H.265 over RTP: the input as packets. */
export function run(bytes: Uint8Array): void {
  runPayloadFormat(H265_FORMAT, MAPPINGS, bytes);
}
