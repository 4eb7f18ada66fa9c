import { DV_FORMAT } from '../../src/protocol/rtp/payload/dv-format.ts';
import { mappingOf } from '../rtp-payload-test-kit.ts';
import { runPayloadFormat } from './rtp-payload-run.ts';

export const name = 'rtp-payload-dv';

const MAPPINGS = [mappingOf('DV', 'encode=SD-VCR/525-60;audio=bundled')];

/** DV over RTP: the input as packets. */
export function run(bytes: Uint8Array): void {
  runPayloadFormat(DV_FORMAT, MAPPINGS, bytes);
}
