import { wholeDifFrame } from '../../src/codec/dv/dif-frame.ts';
import { DV_FORMAT } from '../../src/protocol/rtp/payload/dv-format.ts';
import { mappingOf } from '../rtp-payload-test-kit.ts';
import { runPayloadFormat } from './rtp-payload-run.ts';

export const name = 'rtp-payload-dv';

const MAPPINGS = [mappingOf('DV', 'encode=SD-VCR/525-60;audio=bundled')];

/** DIF blocks of the number that a frame without sound has, their names out of the input. */
function silentFrame(bytes: Uint8Array): Uint8Array {
  const blocks = new Uint8Array(1410 * 80);
  for (let i = 0; i < blocks.length / 80; i++) blocks.set(bytes.subarray(i * 3, i * 3 + 3), i * 80);
  blocks.set([0x1f, 0x07, 0x00, 0x3f]);
  return blocks;
}

/** DV over RTP: the input as packets, and as a frame that lacks blocks. */
export function run(bytes: Uint8Array): void {
  runPayloadFormat(DV_FORMAT, MAPPINGS, bytes);
  wholeDifFrame(silentFrame(bytes));
}
