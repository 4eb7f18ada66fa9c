import { VP9_FORMAT } from '../../src/protocol/rtp/payload/vp9-format.ts';
import { mappingOf } from '../rtp-payload-test-kit.ts';
import { runPayloadFormat } from './rtp-payload-run.ts';

export const name = 'rtp-payload-vp9';

const MAPPINGS = [mappingOf('VP9')];

/** VP9 over RTP: the input as packets. */
export function run(bytes: Uint8Array): void {
  runPayloadFormat(VP9_FORMAT, MAPPINGS, bytes);
}
